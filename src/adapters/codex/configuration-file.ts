import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AuthError } from '../../errors.ts'
import type { CodexConfiguration } from '../../core/set-up-codex.ts'
import type { Environment } from '../root-folder.ts'
import { flushFolder, replaceFile, writing } from '../store/durable-file.ts'
import { codexFolder } from './folder.ts'

/**
 * Codex's `config.toml`: in `$CODEX_HOME`, which must exist as it must for Codex itself, else in `~/.codex`, which is
 * made when it is written to.
 * @throws {AuthError} `usage`.
 */
export function codexConfigurationFile(env: Environment): CodexConfiguration {
  const path = join(codexFolder(undefined, env), 'config.toml')
  return {
    path,
    read: () => read(path)?.text,
    replace: (before, after) => replace(path, before, after),
  }
}

interface Found {
  readonly text: string
  readonly stats: Stats
}

function read(path: string): Found | undefined {
  try {
    const stats = statSync(path)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
    return { text, stats }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === undefined) throw error
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : code
    throw new AuthError('usage', `${path} cannot be read: ${why}. It stays as it is.`, {
      cause: error,
      nextStep: `look at ${path}, and try again`,
    })
  }
}

function replace(path: string, before: string | undefined, after: string | undefined): void {
  const found = read(path)
  if (found?.text !== before) {
    throw new AuthError('store_unwritable', `${path} was changed by another program just now.`, {
      nextStep: 'run the command again',
    })
  }
  const target = targetOf(path)
  if (after === undefined) return remove(target)
  writing(target, () => mkdirSync(dirname(target), { recursive: true, mode: 0o700 }))
  replaceFile(target, Buffer.from(after), found?.stats)
}

function remove(target: string): void {
  writing(target, () => {
    rmSync(target)
    flushFolder(dirname(target))
  })
}

/** Links stay, and what they lead to is replaced, whether or not it is there yet. */
function targetOf(path: string): string {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path)
  return targetOf(resolve(realpathSync(dirname(path)), readlinkSync(path)))
}
