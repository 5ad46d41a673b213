import { randomBytes } from 'node:crypto'
import type { Credential } from '../../src/core/credential.ts'
import { recordSecret, type SecretKind } from './secrets.ts'

/** Epoch seconds: what the clock shows in tests that need no other time. */
export const NOW = 1_790_000_000

/** A token that no other test has, remembered for the search for leaks. */
export function freshSecret(kind: SecretKind): string {
  const secret = `${kind}-${randomBytes(24).toString('base64url')}`
  recordSecret(secret, kind)
  return secret
}

/** A login at OpenAI that lives another hour and can be renewed, with changes. */
export function sampleCredential(changes: Partial<Credential> = {}): Credential {
  return {
    method: 'chatgpt',
    provider: 'openai',
    issuer: 'https://auth.openai.com',
    clientId: 'app_0123456789',
    accessToken: freshSecret('access_token'),
    tokenType: 'Bearer',
    refreshToken: freshSecret('refresh_token'),
    idToken: freshSecret('id_token'),
    expiresAt: NOW + 3600,
    obtainedAt: NOW - 60,
    refreshedAt: undefined,
    scopes: ['openid', 'offline_access'],
    account: { email: 'ada@example.org', id: 'account-1', userId: 'user-1', plan: 'plus' },
    clockSkew: 0,
    refusal: undefined,
    ...changes,
  }
}

/** What of a credential nobody may see. */
export function secretsOf({ accessToken, refreshToken, idToken, mintedApiKey }: Credential): string[] {
  return [accessToken, refreshToken, idToken, mintedApiKey].filter((token) => token !== undefined)
}
