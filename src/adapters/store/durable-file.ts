import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AuthError } from '../../errors.ts'

/** Makes a folder that only its owner may enter, with those above it. @throws {AuthError} `store_unwritable`. */
export function makePrivateFolder(path: string): void {
  writing(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }))
}

/** A temporary file beside the one it is going to replace. */
export interface StagedFile {
  readonly path: string
  /** Puts the content where the reserved bytes are, and flushes it. */
  fill(content: Uint8Array): void
  /** Lets the file take the target's place, durably. */
  replaceTarget(): void
  /** Removes the file, unless it has taken the target's place. */
  discard(): void
}

/**
 * Reserves `size` bytes beside `target`: written and flushed, so that a full, read-only or failing disk shows now.
 * The bytes are random, since a file system that compresses would reserve next to nothing for zeros.
 * @throws {AuthError} `store_unwritable`.
 */
export function stageFile(target: string, size: number): StagedFile {
  const path = temporaryPath(target)
  const discard = (): void => removeTemporary(path)
  writing(target, () => {
    try {
      withDescriptor(path, 'wx', (descriptor) => writeAndFlush(descriptor, randomBytes(size)))
    } catch (error) {
      discard()
      throw error
    }
  })
  return {
    path,
    discard,
    fill: (content) => writing(target, () => withDescriptor(path, 'r+', (it) => writeAndFlush(it, content))),
    replaceTarget: () =>
      writing(target, () => {
        renameSync(path, target)
        flushFolder(dirname(target))
      }),
  }
}

/** Never fails: what cannot be removed now is removed by whoever takes the lock next. */
function removeTemporary(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

function withDescriptor(path: string, flags: 'wx' | 'r+' | 'r', work: (descriptor: number) => void): void {
  const descriptor = openSync(path, flags, 0o600)
  try {
    if (flags === 'wx') makeOwners(descriptor)
    work(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Whatever the umask has taken from its owner: what is reserved now is opened again when an answer is there. */
function makeOwners(descriptor: number): void {
  if ((fstatSync(descriptor).mode & 0o600) !== 0o600) fchmodSync(descriptor, 0o600)
}

function writeAndFlush(descriptor: number, content: Uint8Array): void {
  let written = 0
  while (written < content.length)
    written += writeSync(descriptor, content, written, content.length - written, written)
  ftruncateSync(descriptor, content.length)
  fsyncSync(descriptor)
}

/**
 * Replaces `target` whole, or leaves it as it was.
 * @param like what its permissions and owner are to be; for this user only unless given.
 * @throws {AuthError} `store_unwritable`; with the new content in place only if it is its folder that cannot be flushed.
 */
export function replaceFile(target: string, content: Uint8Array, like?: Stats): void {
  const staged = stageFile(target, content.length)
  try {
    staged.fill(content)
    if (like !== undefined) writing(target, () => makeLike(staged.path, like))
    staged.replaceTarget()
  } finally {
    staged.discard()
  }
}

function makeLike(path: string, { mode, uid, gid }: Stats): void {
  const own = statSync(path)
  if (own.uid !== uid || own.gid !== gid) chownSync(path, uid, gid)
  chmodSync(path, mode & 0o7777)
}

/** Creates `target` whole unless it exists; of any number of processes at once, one wins and all find the same content. */
export function createOnce(target: string, content: () => Uint8Array): void {
  if (existsSync(target)) return
  makePrivateFolder(dirname(target))
  writing(target, () => {
    const path = temporaryPath(target)
    try {
      withDescriptor(path, 'wx', (descriptor) => writeAndFlush(descriptor, content()))
      linkUnlessThere(path, target)
      flushFolder(dirname(target))
    } finally {
      removeTemporary(path)
    }
  })
}

function linkUnlessThere(path: string, target: string): void {
  try {
    linkSync(path, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
    // A file system without hard links (FAT, some network mounts): not atomic there, yet never over another's file.
    copyUnlessThere(path, target)
  }
}

function copyUnlessThere(path: string, target: string): void {
  try {
    copyFileSync(path, target, constants.COPYFILE_EXCL)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Names of temporary files that belong to `target`, whoever made them. */
export function isTemporaryOf(target: string, name: string): boolean {
  const prefix = `.${basename(target)}.`
  // Exactly: a profile may be called "a", and another one "a.cred".
  return name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length))
}

function temporaryPath(target: string): string {
  return join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
}

/** Makes a rename last through a power cut. Windows cannot open folders and does not need it. */
export function flushFolder(path: string): void {
  if (process.platform === 'win32') return
  withDescriptor(path, 'r', (descriptor) => {
    try {
      fsyncSync(descriptor)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Some network file systems flush no folders: what they are given is as durable there as it gets.
      if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error
    }
  })
}

/** Runs file operations, turning the system's refusal into one `store_unwritable` that says which file and why. */
export function writing<T>(path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    if (error instanceof AuthError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new AuthError('store_unwritable', `${path} cannot be written: ${explain(code)}.`, { cause: error })
  }
}

function explain(code: string): string {
  const reasons: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EROFS: 'the disk is read-only',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    ENOENT: 'its folder is gone',
    ENOTDIR: 'its folder is not a folder',
    EIO: 'the disk reports an error',
  }
  return reasons[code] === undefined ? code : `${reasons[code]} (${code})`
}
