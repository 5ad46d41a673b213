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
    scopes: scopes(claims?.['scp'] ?? claims?.['scope']),
    expiresAt: typeof expiry === 'number' && Number.isFinite(expiry) ? expiry : undefined,
  }
}

/** A list, as OpenAI writes it, or words in one text (RFC 9068, section 2.2.3). */
function scopes(claim: unknown): string[] | undefined {
  const words: unknown[] | undefined = typeof claim === 'string' ? claim.split(' ') : asArray(claim)
  return words?.every(isScope) ? words : undefined
}

function asArray(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

/** RFC 6749, section 3.3. */
function isScope(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
}
