import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs'
import { join, relative } from 'node:path'
import { recordOutput, recordSecret } from './secrets.ts'

/** Larger ones are not ours. */
const LARGEST = 1024 * 1024

/**
 * Remembers, for the search for leaks, every file in this folder: as something that was written, and the key as one
 * more secret. Safe while others write there.
 */
export function recordFiles(folder: string): void {
  for (const entry of entriesOf(folder)) {
    const path = join(entry.parentPath, entry.name)
    const bytes = entry.isFile() ? contentOf(path) : undefined
    if (bytes === undefined) continue
    if (isKey(entry.name)) recordKey(bytes)
    else recordOutput(bytes.toString('latin1'), `the file ${withoutChance(relative(folder, path))}`)
  }
}

/** The key, or the temporary file that becomes it. */
function isKey(name: string): boolean {
  return name === 'key' || /^\.key\.[0-9a-f]+\.tmp$/.test(name)
}

function recordKey(bytes: Buffer): void {
  for (const encoding of ['latin1', 'hex', 'base64', 'base64url'] as const)
    recordSecret(bytes.toString(encoding))
}

function entriesOf(folder: string): Dirent[] {
  return unlessGone(() => readdirSync(folder, { recursive: true, withFileTypes: true })) ?? []
}

function contentOf(path: string): Buffer | undefined {
  return unlessGone(() => (statSync(path).size > LARGEST ? undefined : readFileSync(path)))
}

/** Locks and temporary files come and go while this looks. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
}

/** Temporary files carry random names. */
function withoutChance(path: string): string {
  return path.replaceAll(/[0-9a-f]{12}/g, '…')
}
