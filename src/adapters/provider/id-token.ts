import * as oauth from 'oauth4webapi'
import type { AuthorizationRequest, Tokens } from '../../core/ports.ts'
import { untrusted, type SignInServer } from './authorization-code.ts'

/** Seconds by which a clock may be wrong beyond what the answer's own `Date` tells. */
const CLOCK_TOLERANCE = 300

/**
 * Checks that an id token is for this client and this sign-in (OpenID Connect Core 1.0, section 3.1.3.7): issuer,
 * audience, nonce and times. Its signature is not needed, since it came from the token endpoint itself.
 * @throws {AuthError} `login_failed`.
 */
export async function checkIdToken(
  server: SignInServer,
  clientId: string,
  { nonce }: Pick<AuthorizationRequest, 'nonce'>,
  { accessToken, idToken, clockSkew }: Tokens,
): Promise<void> {
  if (idToken === undefined) return
  const client = {
    client_id: clientId,
    [oauth.clockSkew]: clockSkew,
    [oauth.clockTolerance]: CLOCK_TOLERANCE,
  }
  // Only the id token is up for judgement; whatever else the answer holds has been read already.
  const answer = Response.json({ access_token: accessToken, token_type: 'bearer', id_token: idToken })
  try {
    await oauth.processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: nonce ?? oauth.expectNoNonce,
      requireIdToken: true,
    })
  } catch (error) {
    throw untrusted('The id token', error)
  }
}
