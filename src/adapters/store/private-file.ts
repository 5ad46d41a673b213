import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { AuthError } from '../../errors.ts'

// Windows has neither of the two flags.
const O_NOFOLLOW = constants.O_NOFOLLOW as number | undefined
const O_NONBLOCK = constants.O_NONBLOCK as number | undefined

/**
 * Reads a file that only its owner may read. `undefined`: there is none.
 * @throws {AuthError} `store_insecure` for a symbolic link, another owner, or any permission for group or others, with
 * the command that mends it; `store_corrupt` when it is no regular file or larger than `limit` bytes.
 */
export function readPrivateFile(path: string, limit: number): Buffer | undefined {
  const descriptor = open(path)
  if (descriptor === undefined) return undefined
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new AuthError('store_corrupt', `${path} is not a regular file.`)
    refuseInsecure(path, stats)
    if (stats.size > limit)
      throw new AuthError('store_corrupt', `${path} is larger than anything this program writes.`)
    return readAll(descriptor, stats.size)
  } catch (error) {
    throw error instanceof AuthError ? error : unreadable(path, error)
  } finally {
    closeSync(descriptor)
  }
}

function open(path: string): number | undefined {
  try {
    // Without O_NONBLOCK, a FIFO put in the file's place would hang every caller.
    return openSync(path, constants.O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    // Linux and macOS say ELOOP, FreeBSD EMLINK.
    if (code === 'ELOOP' || code === 'EMLINK') throw symbolicLink(path)
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): AuthError {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return new AuthError('store_insecure', `${path} cannot be read (${code}).`, {
    cause: error,
    nextStep: `ls -l ${quoted(path)}    # it must be a file that you own`,
  })
}

function readAll(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let length = 0
  while (length < size) {
    const read = readSync(descriptor, bytes, length, size - length, length)
    if (read === 0) break
    length += read
  }
  return bytes.subarray(0, length)
}

function refuseInsecure(path: string, stats: Stats): void {
  const uid = process.getuid?.()
  // Windows has neither; there the profile folder's access list guards the files.
  if (uid === undefined) return
  if (stats.uid !== uid) {
    throw new AuthError('store_insecure', `${path} belongs to another user (uid ${stats.uid}).`, {
      nextStep: `sudo chown ${uid} ${quoted(path)}`,
    })
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8)
    throw new AuthError('store_insecure', `${path} is open to other users (mode ${mode}).`, {
      nextStep: `chmod 600 ${quoted(path)}`,
    })
  }
}

function symbolicLink(path: string): AuthError {
  return new AuthError('store_insecure', `${path} is a symbolic link, which is not followed.`, {
    nextStep: `mv -f "$(readlink -f ${quoted(path)})" ${quoted(path)}    # puts the file itself there`,
  })
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
