import { readFileSync } from 'node:fs'
import type { IssuedLogin } from './fake-issuer.ts'

/** Codex's file for this login, as Codex itself writes it, but for the changes to the file and to its tokens. */
export function codexAuth(login: IssuedLogin, changes: object = {}, tokens: object = {}): string {
  const file = {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: login.idToken,
      access_token: login.accessToken,
      refresh_token: login.refreshToken,
      oauth_provenance: { issuer: login.issuer, client_id: login.clientId },
      login_owner_id: 'cWtSw3lMn2dXHqYxPq0uYvT9m1oZr4bKc8eJf6gAi5s',
      account_id: login.account.accountId,
      ...tokens,
    },
    last_refresh: new Date(login.issuedAt * 1000).toISOString().replace('.000Z', '.542839644Z'),
    ...changes,
  }
  return JSON.stringify(file, null, 2)
}

/** The refresh token in such a file; empty when it was moved away. `undefined`: it has no login. */
export function refreshTokenIn(path: string): string | undefined {
  const { tokens } = JSON.parse(readFileSync(path, 'utf8')) as { tokens?: { refresh_token?: string } }
  return tokens?.refresh_token
}

/** What lies in Codex's folder when a login has changed hands: nothing that holds a login, but for its own file. */
export const CODEX_FILES = ['auth.json', 'auth.json.lock', 'auth.lock']
