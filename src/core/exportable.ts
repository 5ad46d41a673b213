import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import type { TokenFacts } from './log-in-secret.ts'
import { isOver } from './save-login.ts'

/**
 * Whether Codex can use this login.
 * @param now epoch seconds.
 * @throws {AuthError} `usage` for a kind that it does not know, `not_refreshable` for one that has to be signed in anew.
 */
export function checkExportable(
  credential: Credential,
  profile: string,
  factsOf: (token: string) => TokenFacts,
  now: number,
): void {
  const { method, issuer, accessToken, idToken } = credential
  if (method === 'oauth') {
    throw unknown(
      `Codex signs in at OpenAI only, and the profile "${profile}" holds a login of ${issuer}.`,
      'make Codex fetch its token instead: codex-auth setup codex',
    )
  }
  if (method === 'access_token' && !accessToken.startsWith('at-')) {
    throw unknown(
      `Codex takes personal access tokens only (at-…), and the profile "${profile}" holds another kind.`,
      'sign in with ChatGPT: codex-auth login',
    )
  }
  if (isOver(credential, now))
    throw new AuthError('not_refreshable', 'The access token has expired, and this login cannot be renewed.')
  if (method !== 'chatgpt') return
  if (idToken === undefined || !factsOf(idToken).isJwt)
    throw new AuthError('not_refreshable', 'This login has no id token, and Codex takes none without.', {
      nextStep: 'sign in again for one: codex-auth login',
    })
}

function unknown(message: string, nextStep: string): AuthError {
  return new AuthError('usage', message, { nextStep })
}
