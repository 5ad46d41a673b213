import type { Credential } from '../../core/credential.ts'
import { AuthError } from '../../errors.ts'
import { passingFault } from './error-answer.ts'
import type { HttpAnswer } from './http.ts'

/** Milliseconds for all of a revocation: nobody waits long for a sign-out that is going to happen here anyway. */
export const REVOCATION_TIMEOUT = 5000

/** @throws {AuthError} `not_refreshable` for a login without a refresh token. */
export function refreshTokenOf({ refreshToken }: Credential): string {
  if (refreshToken !== undefined) return refreshToken
  throw new AuthError('not_refreshable', 'This login has no refresh token, so it cannot be refreshed.')
}

/** The token that ends the whole login (RFC 7009, section 2.1): the refresh token, where there is one. */
export function tokenToRevoke({ refreshToken, accessToken }: Credential): {
  readonly token: string
  readonly hint: 'refresh_token' | 'access_token'
} {
  if (refreshToken === undefined) return { token: accessToken, hint: 'access_token' }
  return { token: refreshToken, hint: 'refresh_token' }
}

/** RFC 7009, section 2.2: any success, also for a token that was not valid any more. @throws {PassingFault} otherwise. */
export function confirmRevocation(answer: HttpAnswer): true {
  if (answer.status >= 200 && answer.status < 300) return true
  throw passingFault(answer)
}
