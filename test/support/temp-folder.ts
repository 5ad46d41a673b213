import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new folder of ours alone, removed when the test has ended, or when `after` says so. */
export function temporaryFolder(after: (remove: () => void) => void = onTestFinished): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'codex-auth-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
