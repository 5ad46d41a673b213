import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { AuthError } from '../../../errors.ts'
import { derive } from '../envelope.ts'
import { createOnce } from '../durable-file.ts'
import { machineId } from '../machine-id.ts'
import { quoted, readPrivateFile } from '../private-file.ts'

const KEY_LENGTH = 32

/** A secret of 32 random bytes in the file `key`, with the names under which headers refer to it and to the machine. */
export interface FileKey {
  readonly keyId: string
  /** `undefined`: this machine has no stable id, so nothing is bound to it. */
  readonly machine: string | undefined
  /** 32 bytes for sealing. `bound`: mixed with the machine's id. */
  sealingKey(bound: boolean): Buffer
}

/** @throws {AuthError} `key_missing`, `store_insecure`, or `store_corrupt` when the file is not 32 bytes. */
export function loadFileKey(root: string): FileKey {
  const path = keyPath(root)
  const secret = read(path)
  if (secret === undefined) {
    throw new AuthError(
      'key_missing',
      `The key that opens the stored credential is gone: there is no ${path}.`,
    )
  }
  if (secret.length !== KEY_LENGTH) throw damaged(path)
  return fileKey(secret)
}

function read(path: string): Buffer | undefined {
  try {
    return readPrivateFile(path, KEY_LENGTH)
  } catch (error) {
    throw error instanceof AuthError && error.code === 'store_corrupt' ? damaged(path, error) : error
  }
}

/** A sign-in alone would not help: it never replaces a key, which may be all that opens the other profiles. */
function damaged(path: string, cause?: AuthError): AuthError {
  return new AuthError('store_corrupt', `The key file ${path} is damaged.`, {
    cause,
    nextStep: `mv ${quoted(path)} ${quoted(`${path}.damaged`)} && codex-auth login`,
  })
}

/** As {@link loadFileKey}, making the key first when there is none. @throws also `store_unwritable`. */
export function loadOrCreateFileKey(root: string): FileKey {
  createOnce(keyPath(root), () => randomBytes(KEY_LENGTH))
  return loadFileKey(root)
}

function keyPath(root: string): string {
  return join(root, 'key')
}

function fileKey(secret: Buffer): FileKey {
  const id = machineId()
  return {
    keyId: shortName(derive(secret, '', 'key id')),
    machine: id === undefined ? undefined : shortName(derive(Buffer.from(id), '', 'machine')),
    sealingKey: (bound) => derive(secret, bound ? (id ?? '') : '', 'credential'),
  }
}

function shortName(bytes: Buffer): string {
  return bytes.toString('hex', 0, 8)
}
