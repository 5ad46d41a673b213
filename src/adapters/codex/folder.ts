import { realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { AuthError } from '../../errors.ts'
import type { Environment } from '../root-folder.ts'

/**
 * Codex's own folder: the one that is named, else `$CODEX_HOME`, else `~/.codex`, which need not exist.
 * @throws {AuthError} `usage` when the one that is named is no folder; Codex would not start either.
 */
export function codexFolder(named: string | undefined, env: Environment): string {
  const variable = env['CODEX_HOME']
  if (named === undefined && !variable) return join(env['HOME'] || homedir(), '.codex')
  const folder = resolve(named ?? variable ?? '')
  if (isFolder(folder)) return folder
  const what = named === undefined ? 'CODEX_HOME names' : '--codex-home names'
  throw new AuthError('usage', `${what} ${folder}, which is no folder.`, {
    nextStep: 'name the folder that Codex uses, or leave it out for ~/.codex',
  })
}

/** The one path of a folder by all its names. What does not exist is its own path. */
export function canonical(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return folder
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return false
  }
}
