import * as oauth from 'oauth4webapi'
import type { AuthorizationRequest } from '../../core/ports.ts'
import { AuthError } from '../../errors.ts'
import { isShowableCode } from './error-answer.ts'
import type { HttpAnswer } from './http.ts'
import { sendOAuth } from './oauth-request.ts'

/** An authorization server that is known well enough to sign in at. */
export interface SignInServer extends oauth.AuthorizationServer {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
}

interface AuthorizationParameters {
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly nonce?: string | undefined
  /** After the standard ones, in this order. */
  readonly extra: Readonly<Record<string, string>>
}

/** An authorization request with fresh secrets (RFC 6749, section 4.1.1; RFC 7636, method S256). */
export async function authorizationRequest(
  server: SignInServer,
  { clientId, redirectUri, scopes, nonce, extra }: AuthorizationParameters,
): Promise<AuthorizationRequest> {
  const codeVerifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    scope: scopes.join(' '),
    ...(nonce !== undefined && { nonce }),
    ...extra,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const issuerInRedirect = server.authorization_response_iss_parameter_supported === true
  return { url: url.href, state, redirectUri, codeVerifier, nonce, issuerInRedirect }
}

/**
 * Checks the redirect (RFC 6749, section 4.1.2; RFC 9207) and sends its code to the token endpoint, once.
 * @throws {AuthError} `login_denied` for `error=access_denied`, `login_failed` for any other fault of the redirect;
 * a passing fault of the way to the token endpoint.
 */
export async function sendCode(
  server: SignInServer,
  clientId: string,
  request: AuthorizationRequest,
  redirect: URLSearchParams,
): Promise<HttpAnswer> {
  const client = { client_id: clientId }
  const parameters = checkedRedirect(server, client, request, redirect)
  return sendOAuth(server.issuer, {}, (options) =>
    oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      request.redirectUri,
      request.codeVerifier,
      options,
    ),
  )
}

function checkedRedirect(
  server: SignInServer,
  client: oauth.Client,
  request: AuthorizationRequest,
  redirect: URLSearchParams,
): URLSearchParams {
  try {
    const parameters = oauth.validateAuthResponse(server, client, redirect, request.state)
    if (parameters.getAll('code').filter((code) => code !== '').length === 1) return parameters
  } catch (error) {
    // Neither error becomes a cause: they hold the whole redirect.
    if (error instanceof oauth.AuthorizationResponseError) throw refusedSignIn(error)
    throw untrusted('The redirect from the browser', error)
  }
  throw new AuthError('login_failed', 'The redirect from the browser brought no authorization code.')
}

/** @throws whatever is not oauth4webapi's finding. Its messages are fixed texts, without values. */
export function untrusted(what: string, error: unknown): AuthError {
  if (!(error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError))
    throw error
  return new AuthError('login_failed', `${what} is not to be trusted: ${error.message}.`)
}

function refusedSignIn({
  error,
  error_description: description,
}: oauth.AuthorizationResponseError): AuthError {
  if (error !== 'access_denied') {
    const why = isShowableCode(error) ? ` (${error})` : ''
    return new AuthError('login_failed', `The provider ended the sign-in without a result${why}.`)
  }
  if (description?.includes('missing_codex_entitlement')) {
    return new AuthError('login_denied', 'Codex is not enabled for this workspace.', {
      nextStep: 'ask an administrator of the workspace for access to Codex, then sign in again',
    })
  }
  const shown = showable(description ?? '')
  return new AuthError('login_denied', `The sign-in was denied${shown === '' ? '.' : `: ${shown}`}`)
}

/** One line a person can read: no control characters, and nothing in it that could be a token. */
function showable(description: string): string {
  const line = description.replace(/[\p{C}\p{Z}\s]+/gu, ' ').trim()
  return /^.{0,200}/u.exec(line.replace(/[\w+/=.~-]{24,}/g, '…'))?.[0] ?? ''
}
