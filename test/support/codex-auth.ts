import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IssuedLogin } from './fake-issuer.ts'
import { temporaryFolder } from './temp-folder.ts'

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

/** A folder of Codex's own with this login in it, until the test is over. `undefined`: with none. */
export function codexFolder(auth?: string | Uint8Array): { readonly folder: string; readonly path: string } {
  const folder = temporaryFolder()
  const path = join(folder, 'auth.json')
  if (auth !== undefined) writeFileSync(path, auth, { mode: 0o600 })
  return { folder, path }
}

/** The same file with this token taken out, and nothing else. */
export function withoutToken(text: string, token: string): string {
  return text.replace(`"${token}"`, '""')
}
