import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import { attemptRead } from '../../core/attempt-read.ts'
import { isPassing } from '../../core/exit-code.ts'
import type { CredentialStore, Exclusive, StoredCredential } from '../../core/ports.ts'
import { isProfileName } from '../../core/profile-name.ts'
import { flushFolder, makePrivateFolder, writing } from './durable-file.ts'
import { fileIdentity } from './file-identity.ts'
import { holdCredential } from './held-credential.ts'
import { acquireLock, type LockHandle } from './lock.ts'
import { trace } from '../trace.ts'
import { hasRescue, readRescue, removeRescues, rescuePaths, settleLeftovers } from './rescue.ts'
import { quoted } from './private-file.ts'
import { credentialPath, profilesFolder, readSealedFile } from './sealed-file.ts'
import { isStillOpen } from './spent-token.ts'

type Read = (profile: string) => StoredCredential | undefined

export interface ProfileStoreOptions {
  /** The folder that holds `key` and `profiles/`. */
  readonly root: string
  /** Seconds to wait for another process's lock. */
  readonly lockWait: number
  /** Aborted by a signal; its reason ends every wait. */
  readonly interruption: AbortSignal
}

/** One sealed file per profile, a lock beside each. */
export function profileStore(options: ProfileStoreOptions): CredentialStore {
  const { root } = options
  const read = rememberingReader(root)
  return {
    read,
    profiles: () => listProfiles(root),
    describe: (profile) => ({ path: credentialPath(root, profile), keySource: 'file' }),
    exclusively: (profile, exclusive) =>
      locked(options, profile, exclusive, (lock) =>
        exclusive.work(holdCredential(root, profile, read, lock)),
      ),
    recover: (profile) => recover(profile, options),
    forget: (profile) => locked(options, profile, {}, async () => removeProfile(root, profile)),
  }
}

async function recover(profile: string, options: ProfileStoreOptions): Promise<void> {
  const { root } = options
  if (!hasRescue(root, profile)) return
  try {
    // Whoever takes the lock does what there is to do.
    await locked(options, profile, {}, async () => undefined)
  } catch (error) {
    // It can wait: whoever reads sees the rescue, and the next run tries again.
    if (!isPassing(error)) throw error
  }
}

async function locked<T>(
  { root, lockWait, interruption }: ProfileStoreOptions,
  profile: string,
  { settled, onWait, uninterruptible }: Omit<Exclusive<T>, 'work'>,
  work: (lock: LockHandle) => Promise<T>,
): Promise<T> {
  makePrivateFolder(profilesFolder(root))
  const lock = await acquireLock<T>(join(profilesFolder(root), `${profile}.lock`), {
    deadline: lockWait,
    signal: uninterruptible ? undefined : interruption,
    settled,
    onWait,
  })
  if ('settled' in lock) {
    trace(() => `${profile}: another process did it while this one waited for the lock`)
    return lock.settled
  }
  trace(() => `${profile}: has the lock`)
  try {
    settleLeftovers(root, profile)
    // Whoever held the lock until now may have done what this process came for.
    return settled?.() ?? (await work(lock.handle))
  } finally {
    try {
      handOnIfOpen(lock.handle, () => readNewest(root, profile))
    } finally {
      await lock.handle.release()
    }
  }
}

/** Whoever comes next has to know of a token that may be spent as well. */
function handOnIfOpen(lock: LockHandle, read: () => StoredCredential | undefined): void {
  const { previous } = lock
  if (previous !== undefined && isStillOpen(attemptRead(read), previous)) lock.handOn()
}

function listProfiles(root: string): string[] {
  const names = folderEntries(profilesFolder(root)).filter((name) => name.endsWith('.cred'))
  return names
    .map((name) => name.slice(0, -'.cred'.length))
    .filter(isProfileName)
    .toSorted()
}

function removeProfile(root: string, profile: string): void {
  const folder = profilesFolder(root)
  const mine = folderEntries(folder).filter((name) => isFileOf(profile, name))
  removeRescues(root, profile)
  writing(folder, () => {
    for (const name of mine) rmSync(join(folder, name), { force: true, recursive: true })
    flushFolder(folder)
  })
}

/** Exactly the names that this program gives: a profile may be called "a", and another one "a.cred". */
function isFileOf(profile: string, name: string): boolean {
  const hidden = name.startsWith('.') ? name.slice(1) : name
  if (!hidden.startsWith(`${profile}.`)) return false
  return OWN_FILES.test(hidden.slice(profile.length + 1))
}

const OWN_FILES =
  /^(cred|generation|login)$|^cred\.(rescue|damaged-[\dTZ-]+)$|^(cred|generation|login)\.[0-9a-f]{12}\.tmp$/

function folderEntries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new AuthError('store_insecure', `${path} cannot be listed (${code}).`, {
      cause: error,
      nextStep: `ls -ld ${quoted(path)}    # it must be a folder that you own`,
    })
  }
}

/** A rescue is newer than what lies in its place, or it has been overtaken. */
function readNewest(root: string, profile: string): StoredCredential | undefined {
  const rescue = hasRescue(root, profile) ? readRescue(root, profile) : undefined
  if (rescue === undefined) return readSealedFile(root, profile)
  const lying = attemptRead(() => readSealedFile(root, profile))
  const isOvertaken =
    lying !== undefined && !(lying instanceof AuthError) && lying.generation >= rescue.generation
  return isOvertaken ? lying : rescue
}

/** Reads again only when the file is another one than last time: waiting processes ask many times a second. */
function rememberingReader(root: string): Read {
  const seen = new Map<string, { identity: string; stored: StoredCredential }>()
  return (profile) => {
    const identity = [credentialPath(root, profile), ...rescuePaths(root, profile)]
      .map(fileIdentity)
      .join(' ')
    const before = seen.get(profile)
    if (before !== undefined && before.identity === identity) return before.stored
    const stored = readNewest(root, profile)
    if (stored !== undefined) seen.set(profile, { identity, stored })
    else seen.delete(profile)
    return stored
  }
}
