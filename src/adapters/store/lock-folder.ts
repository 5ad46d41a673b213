import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { preparation, recordOfDead } from './lock-leftovers.ts'
import { isOwnerFile, readOwnerFile, type OwnerFile } from './lock-owner.ts'

/*
 * A lock is a folder with one file in it, named after its owner. Whatever is done to a lock's path is one of these, and
 * the file system itself keeps each from hitting anything but what it names:
 *
 * - rename of a complete folder onto the path: fails unless nothing, or an empty folder, is there;
 * - removal of a file inside by its name: no other lock has a file of that name;
 * - rmdir: fails unless the folder is empty, which a lock that is held never is;
 * - unlink of something that is no folder: fails on a folder.
 *
 * So a process may be killed, or sleep for as long as it likes, between any two steps: what it does next cannot remove a
 * lock that somebody took meanwhile, and there is nothing that others would have to wait for. That an owner is dead
 * stays true for ever; it needs no second look.
 */

/** The sticky bit, set on our folders, so that one without an owner file is known to be a lock's remains, not one by plain `mkdir`. */
const OURS = 0o1000

export type Content =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'no folder'; readonly beat: Beat }
  /** `remains`: of a lock of ours, which is over. */
  | {
      readonly kind: 'ownerless'
      readonly remains: boolean
      readonly names: readonly string[]
      readonly beat: Beat
    }
  | { readonly kind: 'owned'; readonly name: string; readonly beat: Beat }

/** A heartbeat. */
export interface Beat {
  /** Tells one beat of one lock from any other. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
}

export function look(path: string): Content {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return { kind: 'nothing' }
  if (!stats.isDirectory()) return { kind: 'no folder', beat: beatOf(stats) }
  const names = list(path)
  // Released since the line before.
  if (names === undefined) return look(path)
  const name = names.find(isOwnerFile)
  if (name !== undefined) return { kind: 'owned', name, beat: beatOf(stats, name) }
  return { kind: 'ownerless', remains: (stats.mode & OURS) !== 0, names, beat: beatOf(stats) }
}

function list(path: string): string[] | undefined {
  try {
    return readdirSync(path).toSorted()
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

function beatOf({ ino, mtimeMs }: Stats, name = ''): Beat {
  return { id: `${ino} ${mtimeMs} ${name}`, at: mtimeMs }
}

/**
 * Puts a complete lock where nothing was seen, or an abandoned one was cleared. `false`: another process was faster, or
 * swept what this one had prepared and slept over.
 */
export function occupy(path: string, { name, bytes }: OwnerFile): boolean {
  const prepared = preparation(path, name)
  mkdirSync(prepared, { mode: 0o700 })
  try {
    writeFileSync(join(prepared, name), bytes, { flag: 'wx', mode: 0o600 })
    mark(prepared)
    renameSync(prepared, path)
    return true
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    if (hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false
    // Windows has but one answer to a rename onto a folder.
    if (process.platform === 'win32' && hasCode(error, 'EPERM', 'EACCES') && existsSync(path)) return false
    throw error
  }
}

function mark(folder: string): void {
  try {
    chmodSync(folder, 0o700 | OURS)
  } catch (error) {
    // Some file systems have no such bit. There, a lock's remains are waited for as if plain mkdir had made them.
    if (!hasCode(error, 'EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EFTYPE')) throw error
  }
}

/** Ends our own lock. Another one that took the path meanwhile stays. */
export function vacate(path: string, name: string): void {
  rmSync(join(path, name), { force: true })
  removeEmpty(path)
}

/** Removes an abandoned lock. What its owner was spending is kept for whoever takes the path next. */
export function clear(path: string, content: Content): void {
  switch (content.kind) {
    case 'nothing':
      return
    case 'no folder':
      return tolerating(['ENOENT', 'EISDIR', 'EPERM'], () => unlinkSync(path))
    case 'ownerless':
      for (const name of content.names) rmSync(join(path, name), { recursive: true, force: true })
      return removeEmpty(path)
    case 'owned':
      takeOwnerAway(path, content.name)
      return removeEmpty(path)
  }
}

function takeOwnerAway(path: string, name: string): void {
  const file = join(path, name)
  if (readOwnerFile(file, name)?.spending === undefined) rmSync(file, { recursive: true, force: true })
  else tolerating(['ENOENT', 'ENOTDIR'], () => renameSync(file, recordOfDead(path, name)))
}

function removeEmpty(path: string): void {
  tolerating(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'], () => rmdirSync(path))
}

/** These codes say that another process was faster. */
function tolerating(codes: readonly string[], operation: () => void): void {
  try {
    operation()
  } catch (error) {
    if (!hasCode(error, ...codes)) throw error
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}
