import { randomBytes } from 'node:crypto'
import { plain, redirect, type Answer } from './fake-issuer-answer.ts'
import type { AuthorizationCode, IssuerState } from './fake-issuer-state.ts'

/** As long as RFC 6749, section 4.1.2 recommends at most. */
const CODE_LIFETIME = 600
const REGISTERED_PORTS = new Set(['1455', '1457'])
const LOOPBACK_REDIRECT = /^http:\/\/(?:localhost|127\.0\.0\.1):(\d+)\/auth\/callback$/

/** RFC 6749, section 4.1.1, with RFC 7636. There is no page: the person has always said yes already. */
export function authorize(issuer: IssuerState, query: URLSearchParams): Answer {
  const redirectUri = query.get('redirect_uri') ?? ''
  // Neither may be answered by a redirect: it would go to whoever made them up (section 4.1.2.1).
  if (query.get('client_id') !== issuer.clientId) return plain(400, 'unknown client_id')
  if (!isRegistered(redirectUri, issuer.anyRedirectPort)) return plain(400, 'unregistered redirect_uri')
  const state = query.get('state') ?? ''
  const refusal = fault(query) ?? issuer.behaviour.authorizationError
  if (refusal !== undefined) {
    const { error, description = '' } = refusal
    return redirect(redirectUri, { error, error_description: description, state })
  }
  const code = issueCode(issuer, {
    redirectUri,
    challenge: query.get('code_challenge') ?? '',
    scopes: (query.get('scope') ?? '').split(' '),
    nonce: query.get('nonce') ?? undefined,
  })
  return redirect(redirectUri, { code, ...issuer.behaviour.redirectParameters, state })
}

/** A code for whoever signs in now. */
export function issueCode(
  issuer: IssuerState,
  request: Pick<AuthorizationCode, 'redirectUri' | 'challenge' | 'scopes' | 'nonce'>,
): string {
  const code = `ac_${randomBytes(32).toString('base64url')}`
  issuer.keep('authorization_code', code)
  issuer.codes.set(code, {
    ...request,
    account: issuer.behaviour.account,
    expiresAt: issuer.now() + CODE_LIFETIME,
    used: false,
    refreshToken: undefined,
  })
  return code
}

function fault(query: URLSearchParams): { error: string; description: string } | undefined {
  if (query.get('response_type') !== 'code') return invalid('response_type must be code')
  if (!query.get('state')) return invalid('state is required')
  if (!query.get('scope')) return invalid('scope is required')
  if (query.get('code_challenge_method') !== 'S256') return invalid('code_challenge_method must be S256')
  // The length of a SHA-256 digest in base64url.
  if (!/^[\w-]{43}$/.test(query.get('code_challenge') ?? '')) return invalid('code_challenge is not S256')
  return undefined
}

function invalid(description: string): { error: string; description: string } {
  return { error: 'invalid_request', description }
}

function isRegistered(redirectUri: string, anyPort: boolean): boolean {
  const port = LOOPBACK_REDIRECT.exec(redirectUri)?.[1]
  return port !== undefined && (anyPort || REGISTERED_PORTS.has(port))
}
