import type { CodexChatGptLogin } from './codex-auth-file.ts'
import type { Account, Credential } from './credential.ts'
import type { TokenFacts } from './log-in-secret.ts'
import type { Provider } from './ports.ts'

/**
 * Codex's sign-in as this program keeps it.
 * @param provider the one that renews it.
 * @param now epoch seconds.
 */
export async function credentialFromCodex(
  login: CodexChatGptLogin,
  provider: Pick<Provider, 'issuer' | 'clientId' | 'scopes'>,
  factsOf: (token: string) => TokenFacts,
  now: number,
): Promise<Credential> {
  const facts = factsOf(login.accessToken)
  return {
    method: 'chatgpt',
    provider: 'openai',
    issuer: provider.issuer,
    clientId: provider.clientId,
    accessToken: login.accessToken,
    tokenType: 'Bearer',
    refreshToken: login.refreshToken,
    idToken: login.idToken,
    expiresAt: facts.expiresAt,
    obtainedAt: Math.floor(Math.min(login.lastRefresh ?? now, now)),
    refreshedAt: undefined,
    scopes: facts.scopes ?? provider.scopes,
    account: codexAccount(login, factsOf),
    clockSkew: 0,
    refusal: undefined,
    importedFrom: await tokenName(login.refreshToken),
  }
}

/** Whose login it is. The id token goes first, as everywhere; the workspace is the one that Codex uses. */
export function codexAccount(
  { accountId, idToken, accessToken }: CodexChatGptLogin,
  factsOf: (token: string) => TokenFacts,
): Account {
  const [identity, access] = [factsOf(idToken).account, factsOf(accessToken).account]
  return {
    email: identity?.email ?? access?.email,
    id: accountId ?? identity?.id ?? access?.id,
    userId: identity?.userId ?? access?.userId,
    plan: identity?.plan ?? access?.plan,
  }
}

/** A name for a token from which nobody learns it: 32 bytes (SHA-256) in base64url. */
export async function tokenName(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`codex-auth/1 token ${token}`))
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
