import type { Credential } from '../../core/credential.ts'
import { chatGptAccount } from './account.ts'
import { claimsOf } from './json-web-token.ts'
import { OPENAI_ISSUER } from './openai-issuer.ts'

/**
 * The access token or API key in `CODEX_AUTH_TOKEN`, as a credential that is never saved. `undefined`: the variable is
 * not set, or empty.
 * @param now epoch seconds.
 */
export function environmentToken(value: string | undefined, now: number): Credential | undefined {
  const accessToken = value?.trim()
  if (!accessToken) return undefined
  const tokens = { accessToken, idToken: undefined }
  const expiry = claimsOf(accessToken)?.['exp']
  return {
    method: accessToken.startsWith('sk-') ? 'api_key' : 'access_token',
    provider: 'openai',
    issuer: OPENAI_ISSUER,
    clientId: '',
    accessToken,
    tokenType: 'Bearer',
    refreshToken: undefined,
    idToken: undefined,
    expiresAt: typeof expiry === 'number' && Number.isFinite(expiry) ? expiry : undefined,
    obtainedAt: Math.floor(now),
    refreshedAt: undefined,
    scopes: [],
    account: chatGptAccount(tokens) ?? {
      email: undefined,
      id: undefined,
      userId: undefined,
      plan: undefined,
    },
    clockSkew: 0,
    refusal: undefined,
  }
}
