import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import { givenCredential, type TokenFacts } from './log-in-secret.ts'

/**
 * The access token or API key in `CODEX_AUTH_TOKEN`, as a credential that is never saved. `undefined`: the variable is
 * not set, or empty.
 * @param now epoch seconds.
 * @throws {AuthError} `usage` for anything that is not one word: it would break the one line that `token` prints.
 */
export function environmentToken(
  value: string | undefined,
  factsOf: (token: string) => TokenFacts,
  now: number,
): Credential | undefined {
  const token = value?.trim()
  if (!token) return undefined
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AuthError(
      'usage',
      'CODEX_AUTH_TOKEN does not hold one token: there are spaces or other characters in it.',
      {
        nextStep: 'put one access token or API key into CODEX_AUTH_TOKEN, or unset it',
      },
    )
  }
  return givenCredential(token.startsWith('sk-') ? 'api_key' : 'access_token', token, factsOf(token), now)
}
