import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temp-folder.ts'

export { codexAuth } from './codex-auth-file.ts'

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
