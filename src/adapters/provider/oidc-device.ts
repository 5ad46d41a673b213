import * as oauth from 'oauth4webapi'
import type { DeviceAnswer, DeviceAuthorization } from '../../core/ports.ts'
import { AuthError } from '../../errors.ts'
import type { SignInServer } from './authorization-code.ts'
import { deviceCode, deviceTerms, userCode, verificationPage, waitingAnswer } from './device-code.ts'
import type { HttpAnswer } from './http.ts'
import { jsonObject } from './json-object.ts'
import { sendOAuth } from './oauth-request.ts'
import { refusalOrFault, tokensIn } from './token-answer.ts'

/**
 * Asks for a device code (RFC 8628, section 3.1).
 * @throws {AuthError} `login_failed` when the server has no such endpoint; a passing fault of the way to it.
 */
export async function requestDeviceCode(
  server: SignInServer,
  clientId: string,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  if (server.device_authorization_endpoint === undefined) {
    const { host } = new URL(server.issuer)
    throw new AuthError('login_failed', `${host} offers no sign-in with a device code.`, {
      nextStep: 'sign in with the browser: codex-auth login',
    })
  }
  const client = { client_id: clientId }
  return sendOAuth(server.issuer, { signal }, (options) =>
    oauth.deviceAuthorizationRequest(server, client, oauth.None(), parameters, options),
  )
}

/**
 * Reads the answer to {@link requestDeviceCode} (RFC 8628, section 3.2). `now`: epoch seconds.
 * @throws {AuthError} `login_failed` when the server says why it gives no code; a passing fault otherwise, also for a code
 * or an address that cannot be shown.
 */
export function deviceAuthorization(answer: HttpAnswer, now: number): DeviceAuthorization {
  const { host, status } = answer
  const body = status >= 200 && status < 300 ? jsonObject(answer.body) : undefined
  if (body === undefined) throw refusalOrFault(answer, 'the request for a device code')
  // Some servers name it as the drafts of the RFC did.
  const page = body['verification_uri'] ?? body['verification_url']
  const complete = body['verification_uri_complete'] ?? undefined
  return {
    verificationUrl: verificationPage(page, host),
    verificationUrlComplete: complete === undefined ? undefined : verificationPage(complete, host),
    userCode: userCode(body['user_code'], host),
    deviceCode: deviceCode(body['device_code'], host),
    ...deviceTerms(body, answer, now),
  }
}

/** Sends a device code, once (RFC 8628, section 3.4). */
export function sendDeviceCode(
  server: SignInServer,
  clientId: string,
  authorization: DeviceAuthorization,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const client = { client_id: clientId }
  return sendOAuth(server.issuer, { signal }, (options) =>
    oauth.deviceCodeGrantRequest(server, client, oauth.None(), authorization.deviceCode, options),
  )
}

/**
 * What the answer to {@link sendDeviceCode} means. `receivedAt`: epoch seconds.
 * @throws {AuthError} `login_denied`, `login_timeout`, `login_failed`; a passing fault for whatever says nothing definite.
 */
export function deviceAnswer(answer: HttpAnswer, receivedAt: number): DeviceAnswer {
  const said = tokensIn(answer, receivedAt) ?? waitingAnswer(answer)
  if (said === undefined) throw refusalOrFault(answer, 'the device code')
  return said
}
