import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs'
import { AuthError } from '../../errors.ts'
import { replaceFile, writing } from '../store/durable-file.ts'
import { quoted } from '../store/private-file.ts'
import { temporariesOf } from '../store/temporary-files.ts'

/** Bytes. Far above any real one. */
const LIMIT = 1024 * 1024

/**
 * What lies at `path` right now, byte for byte: a byte order mark stays. `undefined`: nothing does.
 * @throws {AuthError} `codex_unreadable`.
 */
export function readText(path: string): string | undefined {
  try {
    if (statSync(path).size > LIMIT) throw unreadable(path, 'is larger than anything that Codex writes')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof AuthError || code === undefined) throw error
    if (code === 'ENOENT') return undefined
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw unreadable(path, 'is no UTF-8 text')
    throw unreadable(path, `cannot be read (${code})`, `ls -ld ${quoted(path)}`)
  }
}

/** Why this is not all of the file. `undefined`: it is. */
export function incompleteness(text: string): string | undefined {
  if (text.trim() === '') return 'is empty'
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''))
    return undefined
  } catch {
    // The parser's own message quotes the text, which is made of tokens.
    return 'is no whole JSON'
  }
}

export function unreadable(path: string, what: string, nextStep?: string): AuthError {
  return new AuthError('codex_unreadable', `Codex's file ${path} ${what}.`, { ...(nextStep && { nextStep }) })
}

/**
 * Where the file itself lies: a link is followed, as Codex does.
 * @throws {AuthError} `store_unwritable` when it cannot be replaced: it is no file, or a link that leads to none, may not
 * be written, or has a second name, under which its old content would stay.
 */
export function replaceableFile(path: string): string {
  const target = targetOf(path)
  if (target === undefined) return path
  const stats = writing(target, () => statSync(target))
  const reason = faultOf(target, stats)
  if (reason !== undefined) throw reason
  return target
}

/** How a link ends that leads to no file: at nothing, below what is no folder, in a circle. */
const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

function targetOf(path: string): string | undefined {
  return writing(path, () => {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined
    try {
      return realpathSync(path)
    } catch (error) {
      if (!NOWHERE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      throw fault(`${path} is a link that leads nowhere.`, `rm ${quoted(path)}`)
    }
  })
}

function faultOf(target: string, stats: Stats): AuthError | undefined {
  const name = quoted(target)
  if (!stats.isFile()) return fault(`${target} is no file.`, `ls -ld ${name}`)
  if (stats.uid !== (process.geteuid?.() ?? stats.uid))
    return fault(`${target} belongs to another user (uid ${stats.uid}).`, 'run this as that user')
  if (stats.nlink > 1) {
    const step = `cp -p ${name} ${name}.own && mv ${name}.own ${name}    # and remove the other name`
    return fault(`${target} is a hard link, and Codex refuses those.`, step)
  }
  try {
    accessSync(target, constants.W_OK)
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return fault(`${target} is read-only, and Codex could not renew its login either.`, `chmod u+w ${name}`)
  }
}

function fault(message: string, nextStep: string): AuthError {
  return new AuthError('store_unwritable', message, { nextStep })
}

/**
 * With the file's own lock held: replaces the file whole and durably, for its owner only. What replacements that were killed
 * have left beside it goes first, since it holds a login too; what Codex leaves there has other names.
 * @throws {AuthError} `store_unwritable`.
 */
export function replaceText(target: string, text: string): void {
  for (const leftover of temporariesOf(target)) writing(leftover, () => rmSync(leftover, { force: true }))
  replaceFile(target, Buffer.from(text))
}
