import { text } from 'node:stream/consumers'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { Credential } from '../../../src/core/credential.ts'
import type { AuthorizationRequest, Provider, Tokens } from '../../../src/core/ports.ts'
import { unsigned } from './answers.ts'
import { serve } from './servers.ts'

export const CLIENT_ID = 'client-1'
export const REDIRECT_URI = 'http://127.0.0.1:4000/auth/callback'

/** What is sent back: a status and headers may be left out. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A server whose every answer a test can replace, and all it was asked. */
export interface OpenIdServer {
  /** The base address, without a path. */
  readonly origin: string
  /** By method and path. What is not here is a 404. */
  readonly replies: Map<string, Reply>
  /** Method and path, and the parameters of a form. */
  readonly requests: [string, Readonly<Record<string, string>>][]
}

/** A server with metadata at the usual place, for the issuer `ORIGIN` and `path`. */
export async function startOpenIdServer(path = ''): Promise<OpenIdServer> {
  const replies = new Map<string, Reply>()
  const requests: OpenIdServer['requests'] = []
  const { origin } = await serve((incoming, response) => {
    const answer = async (): Promise<void> => {
      const body = await text(incoming)
      const route = `${incoming.method} ${incoming.url}`
      requests.push([route, Object.fromEntries(new URLSearchParams(body))])
      const reply = replies.get(route) ?? { status: 404 }
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
    }
    void answer()
  })
  replies.set(`GET ${path}/.well-known/openid-configuration`, { body: metadata(origin, path) })
  return { origin, replies, requests }
}

export function metadata(origin: string, path = ''): Record<string, unknown> {
  return {
    issuer: `${origin}${path}`,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
  }
}

export function openOidc(issuer: string, scopes?: readonly string[]): Promise<Provider> {
  const clock = { now: () => Date.now() / 1000 }
  return providers(clock).open({ name: 'oidc', issuer, clientId: CLIENT_ID, scopes })
}

/** The redirect of a successful sign-in. */
export function signedIn(
  { state }: AuthorizationRequest,
  more: Record<string, string> = {},
): URLSearchParams {
  return new URLSearchParams({ code: 'code-1', state, ...more })
}

/** The claims that an id token for this request has to have, and some of these changed. */
export function idToken(
  issuer: string,
  request: AuthorizationRequest,
  changes: object = {},
  alg = 'RS256',
): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: CLIENT_ID, sub: 'user-1', iat: now, exp: now + 60, nonce: request.nonce }
  return unsigned({ ...claims, ...changes }, { alg })
}

export function credential(issuer: string, tokens: Partial<Tokens> = {}): Credential {
  return {
    method: 'oauth',
    provider: 'oidc',
    issuer,
    clientId: CLIENT_ID,
    accessToken: 'at-1',
    tokenType: 'Bearer',
    refreshToken: 'rt-1',
    idToken: undefined,
    expiresAt: undefined,
    obtainedAt: 0,
    refreshedAt: undefined,
    clockSkew: 0,
    refusal: undefined,
    ...tokens,
    scopes: [],
    account: { email: undefined, id: undefined, userId: undefined, plan: undefined },
  }
}
