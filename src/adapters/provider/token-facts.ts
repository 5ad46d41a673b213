import type { TokenFacts } from '../../core/log-in-secret.ts'
import { chatGptAccount } from './account.ts'
import { claimsOf } from './json-web-token.ts'

/** What an access token says of itself, for display and its expiry; nothing in it is verified. */
export function tokenFacts(token: string): TokenFacts {
  const claims = claimsOf(token)
  const expiry = claims?.['exp']
  return {
    isJwt: claims !== undefined,
    account: claims && chatGptAccount({ accessToken: token, idToken: undefined }),
    expiresAt: typeof expiry === 'number' && Number.isFinite(expiry) ? expiry : undefined,
  }
}
