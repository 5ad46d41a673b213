import * as oauth from 'oauth4webapi'
import type { Credential } from '../../core/credential.ts'
import type { Verdict } from '../../core/ports.ts'
import { AuthError } from '../../errors.ts'
import type { SignInServer } from './authorization-code.ts'
import { passingFault } from './error-answer.ts'
import type { HttpAnswer } from './http.ts'
import { jsonObject } from './json-object.ts'
import { claimsOf } from './json-web-token.ts'
import { sendOAuth } from './oauth-request.ts'
import { PassingFault } from './passing-fault.ts'
import { verdictOf } from './verdict.ts'

/**
 * Asks an authorization server about an access token: by the userinfo endpoint (OpenID Connect Core 1.0, section 5.3)
 * where the token is for it, else by introspection (RFC 7662) where a public client may.
 * @throws {AuthError} `not_verifiable` where neither is possible; a passing fault otherwise.
 */
export function verifyAtServer(
  server: SignInServer,
  credential: Credential,
  signal: AbortSignal,
): Promise<Verdict> {
  if (server.userinfo_endpoint !== undefined && credential.scopes.includes('openid'))
    return byUserInfo(server, credential, signal)
  if (server.introspection_endpoint !== undefined && isOpenToPublic(server))
    return byIntrospection(server, credential, signal)
  throw notVerifiable(server, 'offers no way to ask whether this token works')
}

async function byUserInfo(
  server: SignInServer,
  { clientId, accessToken, account }: Credential,
  signal: AbortSignal,
): Promise<Verdict> {
  const client = { client_id: clientId }
  const answer = await sendOAuth(server.issuer, { signal }, (options) =>
    oauth.userInfoRequest(server, client, accessToken, {
      ...options,
      headers: new Headers(options.headers),
    }),
  )
  const subject = subjectIn(answer)
  // Section 5.3.2: an answer about somebody else says nothing.
  if (subject !== undefined && account.id !== undefined && subject !== account.id) {
    throw new PassingFault('invalid_answer', `${answer.host} answered for another account than this login's.`)
  }
  return answer.status === 200 && subject !== undefined ? 'valid' : verdictOf(answer, () => false)
}

/** `undefined`: no answer of a userinfo endpoint. It may come signed, as a token. */
function subjectIn({ body }: HttpAnswer): string | undefined {
  const subject = (jsonObject(body) ?? claimsOf(body.trim()))?.['sub']
  return typeof subject === 'string' ? subject : undefined
}

/** Where the server does not list the ways to authenticate there, trying tells. */
function isOpenToPublic({ introspection_endpoint_auth_methods_supported: methods }: SignInServer): boolean {
  return methods === undefined || methods.includes('none')
}

async function byIntrospection(
  server: SignInServer,
  { clientId, accessToken }: Credential,
  signal: AbortSignal,
): Promise<Verdict> {
  const client = { client_id: clientId }
  const answer = await sendOAuth(server.issuer, { signal }, (options) =>
    oauth.introspectionRequest(server, client, oauth.None(), accessToken, {
      ...options,
      additionalParameters: { token_type_hint: 'access_token' },
    }),
  )
  const active = answer.status === 200 ? jsonObject(answer.body)?.['active'] : undefined
  if (typeof active === 'boolean') return active ? 'valid' : 'refused'
  // Here, 401 and its like are about the client that asks, not about the token.
  if (answer.status === 400 || answer.status === 401 || answer.status === 403)
    throw notVerifiable(server, 'does not let this client ask whether a token works')
  throw passingFault(answer)
}

function notVerifiable(server: SignInServer, what: string): AuthError {
  return new AuthError('not_verifiable', `${new URL(server.issuer).host} ${what}.`)
}
