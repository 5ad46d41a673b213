import { renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { AuthError } from '../../errors.ts'
import { serializeCredential, type Credential } from '../../core/credential.ts'
import type { HeldCredential, StoredCredential } from '../../core/ports.ts'
import { trace } from '../trace.ts'
import { flushFolder, stageFile, writing, type StagedFile } from './durable-file.ts'
import { readGeneration, writeGeneration } from './generation.ts'
import { loadOrCreateFileKey, type FileKey } from './keys/file.ts'
import type { LockHandle } from './lock.ts'
import { removeRescues, writeRescue } from './rescue.ts'
import { credentialPath, sealCredential } from './sealed-file.ts'
import { tokenHash } from './spent-token.ts'

/** Bytes kept free for an answer: its three tokens end at 64 KiB each. */
const RESERVE = 256 * 1024

interface Place {
  readonly root: string
  readonly profile: string
  readonly path: string
  read(): StoredCredential | undefined
}

/** What an answer needs to be kept, in hand before it is asked for: room on the disk, and the key. */
interface Reserve {
  readonly file: StagedFile
  readonly key: FileKey
}

/** A profile's credential in the hands of the lock's holder. */
export function holdCredential(
  root: string,
  profile: string,
  readProfile: (profile: string) => StoredCredential | undefined,
  lock: LockHandle,
): HeldCredential {
  const place = { root, profile, path: credentialPath(root, profile), read: () => readProfile(profile) }
  let reserved: Reserve | undefined
  const reserve = (): Reserve =>
    (reserved ??= { key: loadOrCreateFileKey(root), file: stageFile(place.path, RESERVE) })
  return {
    read: place.read,
    reserve,
    recordSpending: (refreshToken) => lock.recordSpending(tokenHash(refreshToken)),
    save: (credential) => {
      const taken = reserve()
      reserved = undefined
      return save(place, taken, credential)
    },
    remove: () => remove(place),
    release: () => reserved?.file.discard(),
    spentBefore: (refreshToken) => {
      const { previous } = lock
      return previous?.token === tokenHash(refreshToken)
        ? { pid: previous.pid, since: previous.at }
        : undefined
    },
  }
}

function save(place: Place, { file, key }: Reserve, credential: Credential): StoredCredential {
  const { root, profile, path } = place
  const before = readForReplacing(place)
  const generation = Math.max(before.generation, readGeneration(root, profile)) + 1
  const sealed = sealCredential(key, profile, { credential, generation })
  try {
    file.fill(sealed)
    if (!before.readable) setAside(path)
    file.replaceTarget()
    const stored = readBack(place, credential)
    rememberGeneration(root, profile, generation)
    trace(() => `${profile}: saved, write ${generation}`)
    return stored
  } catch (error) {
    throw error instanceof AuthError ? rescued(place, sealed, error) : error
  } finally {
    file.discard()
  }
}

/** The answer exists nowhere else: what could not take its place is kept at a second one. */
function rescued({ root, profile }: Place, sealed: Uint8Array, cause: AuthError): AuthError {
  const kept = writeRescue(root, profile, sealed)
  if (kept === undefined) {
    return new AuthError(
      'store_unwritable',
      `${cause.message} The new tokens could not be kept anywhere and are lost.`,
      {
        cause,
        nextStep: 'mend the disk, then sign in again: codex-auth login',
      },
    )
  }
  return new AuthError('store_unwritable', `${cause.message} The new tokens are kept, sealed, in ${kept}.`, {
    cause,
    nextStep: 'mend the disk and run the command again; it will put them into their place',
  })
}

function readForReplacing({ read }: Place): { readable: boolean; generation: number } {
  try {
    return { readable: true, generation: read()?.generation ?? 0 }
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return { readable: false, generation: 0 }
  }
}

/** What could not be read is kept, so that a person can still look at it. */
function setAside(path: string): void {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  writing(path, () => renameSync(path, aside))
}

function readBack({ path, read }: Place, credential: Credential): StoredCredential {
  const stored = read()
  if (stored !== undefined && serializeCredential(stored.credential) === serializeCredential(credential))
    return stored
  throw new AuthError('store_unwritable', `${path} did not read back as it was written.`)
}

/** Only noticing an older copy later depends on it; the credential itself is safe by now, so its failure ends nothing. */
function rememberGeneration(root: string, profile: string, generation: number): void {
  try {
    writeGeneration(root, profile, generation)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
  }
}

function remove({ root, profile, path }: Place): void {
  removeRescues(root, profile)
  writing(path, () => {
    rmSync(path, { force: true })
    flushFolder(dirname(path))
  })
}
