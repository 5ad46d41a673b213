import * as oauth from 'oauth4webapi'
import { AuthError } from '../../errors.ts'
import type { SignInServer } from './authorization-code.ts'
import { errorCode } from './error-answer.ts'
import { sendOAuth } from './oauth-request.ts'
import { refusalOrFault, tokensIn } from './token-answer.ts'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/**
 * OpenAI's own use of token exchange (RFC 8693): an id token for an API key, which never expires by itself.
 * @throws {AuthError} `no_api_key` when the provider says why it gives none; a passing fault otherwise.
 */
export async function mintApiKey(server: SignInServer, clientId: string, idToken: string): Promise<string> {
  const parameters = {
    requested_token: 'openai-api-key',
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  }
  const answer = await sendOAuth(server.issuer, {}, (options) =>
    oauth.genericTokenEndpointRequest(
      server,
      { client_id: clientId },
      oauth.None(),
      TOKEN_EXCHANGE,
      parameters,
      options,
    ),
  )
  // Only the word itself is of use: a key has neither a type nor an end.
  const key = tokensIn(answer, 0)?.accessToken
  if (key !== undefined) return key
  const fault = refusalOrFault(answer, 'the request for an API key')
  if (fault.code !== 'login_failed') throw fault
  throw new AuthError('no_api_key', `${answer.host} gives this login no API key (${errorCode(answer)}).`)
}
