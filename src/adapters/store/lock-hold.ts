import { lstatSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import { writing } from './durable-file.ts'
import { occupy, vacate } from './lock-folder.ts'
import { inherit, sweep, type Inheritance } from './lock-leftovers.ts'
import { ownerFile, writeSpending, type OwnerFile, type SpendingRecord } from './lock-owner.ts'

/** Milliseconds. By it, waiters on other machines tell that the holder lives. */
const HEARTBEAT = 2000

/** A lock in our hands. */
export interface LockHandle {
  /** Whether it was seen to be in other hands. That takes nothing away: an answer is saved all the same. */
  readonly compromised: boolean
  /** What an owner before was spending when it died. `undefined`: nothing that we know of. */
  readonly previous: SpendingRecord | undefined
  /**
   * Records, before anything is sent, that the token with this hash is being spent. When the process ends before it has
   * released the lock, the next holder finds this.
   * @throws {AuthError} `store_busy` when the lock was taken over while this process slept; `store_unwritable`.
   */
  recordSpending(tokenHash: string): void
  /** Leaves `previous` for the next holder as well: nothing has come of it yet. */
  handOn(): void
  /**
   * Lets the next one in. Safe to repeat. Never rejects, since what was done under the lock is done; `false`: the lock
   * could not be removed, and lasts as long as this process.
   */
  release(): Promise<boolean>
}

interface Hold {
  readonly path: string
  readonly file: OwnerFile
  lastBeat: Date
  compromised: boolean
  spending: boolean
  handsOn: boolean
}

/** Takes the lock where there is none. `undefined`: another process was faster. Throws the file system's own errors. */
export async function holdLock(path: string): Promise<LockHandle | undefined> {
  const state = { compromised: false, spending: false, handsOn: false }
  const hold: Hold = { path, file: ownerFile(), lastBeat: new Date(), ...state }
  const unlock = await lock(hold)
  if (unlock === undefined) return undefined
  try {
    const inheritance = inherit(path)
    sweep(path)
    return lockHandle(hold, inheritance, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function lock(hold: Hold): Promise<(() => Promise<void>) | undefined> {
  // Reading never needs the package, so it is not loaded with this file.
  const properLockfile = await import('proper-lockfile')
  try {
    // The package keeps its books by the first argument: were it the same for two holds of one process, the end of an
    // earlier one that has lost its lock would end the later one's heartbeat.
    return await properLockfile.lock(join(hold.path, hold.file.name), {
      lockfilePath: hold.path,
      realpath: false,
      update: HEARTBEAT,
      // Its own breaking of stale locks removes whatever lies there by then.
      stale: Infinity,
      fs: fileSystem(hold),
      onCompromised: () => {
        hold.compromised = true
      },
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined
    throw error
  }
}

type Callback<T> = (error: NodeJS.ErrnoException | null, result?: T) => void

/**
 * What the package does to its folder, in a way that can only hit our own. All of it is done at once: an update of the
 * heartbeat that is still under way at the release would go to the next holder's.
 */
function fileSystem(hold: Hold): object {
  const { path, file } = hold
  return {
    mkdir: (_path: string, done: Callback<void>) => calling(done, () => occupyOrFail(path, file)),
    stat: (_path: string, done: Callback<{ mtime: Date }>) => calling(done, () => ownBeat(hold)),
    utimes: (_path: string, _atime: Date, mtime: Date, done: Callback<void>) =>
      calling(done, () => beat(hold, mtime)),
    rmdir: (_path: string, done: Callback<void>) => calling(done, () => vacate(path, file.name)),
    // At the process's end. What it was spending stays, for the next holder to find.
    rmdirSync: () => hold.spending || vacate(path, file.name),
  }
}

function calling<T>(done: Callback<T>, operation: () => T): void {
  let result: T
  try {
    result = operation()
  } catch (error) {
    return done(error as NodeJS.ErrnoException)
  }
  done(null, result)
}

/** The package asks by the time whether the lock is still its own. Ours it is while our file is in it, whoever touched it. */
function ownBeat({ path, file, lastBeat }: Hold): { mtime: Date } {
  lstatSync(join(path, file.name))
  return { mtime: lastBeat }
}

function beat(hold: Hold, mtime: Date): void {
  utimesSync(hold.path, mtime, mtime)
  hold.lastBeat = mtime
}

function occupyOrFail(path: string, file: OwnerFile): void {
  if (!occupy(path, file))
    throw Object.assign(new Error('another process holds the lock'), { code: 'ELOCKED' })
}

function lockHandle(hold: Hold, { previous, records }: Inheritance, unlock: () => Promise<void>): LockHandle {
  let released: Promise<boolean> | undefined
  return {
    previous,
    get compromised() {
      return hold.compromised
    },
    recordSpending: (tokenHash) => recordSpending(hold, tokenHash),
    handOn: () => void (hold.handsOn = true),
    release: () => (released ??= release(hold, records, unlock)),
  }
}

function recordSpending(hold: Hold, tokenHash: string): void {
  const { path, file } = hold
  if (writing(path, () => writeSpending(join(path, file.name), tokenHash, Date.now() / 1000))) {
    hold.spending = true
    return
  }
  hold.compromised = true
  throw new AuthError(
    'store_busy',
    `Another process took over the lock ${path} while this one slept; nothing was sent.`,
  )
}

async function release(
  hold: Hold,
  records: readonly string[],
  unlock: () => Promise<void>,
): Promise<boolean> {
  try {
    await unlock().catch((error: NodeJS.ErrnoException) => {
      // The package has given it up before.
      if (error.code !== 'ERELEASED') throw error
    })
    vacate(hold.path, hold.file.name)
    if (!hold.handsOn) for (const record of records) rmSync(record, { force: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return false
  }
}
