import { join } from 'node:path'
import type { LockHolder } from '../../core/ports.ts'
import { writing } from './durable-file.ts'
import { clear, look, type Beat, type Content } from './lock-folder.ts'
import { holdLock, type LockHandle } from './lock-hold.ts'
import { liveness, readOwnerFile, type Liveness } from './lock-owner.ts'

/** Milliseconds without a heartbeat, or before its time, after which an owner that cannot be looked up is given up. */
const STALE = 45_000

/** Milliseconds between two looks that count as watching: several of the longest pauses between attempts. */
const WATCHED = 250

export interface Holder extends LockHolder {
  /** `unknown`: on another machine, in another container, or not told by its record. */
  readonly state: Exclude<Liveness, 'dead'>
  readonly host: string | undefined
}

type Attempt = { readonly handle: LockHandle } | { readonly holder: Holder }

const SOMEBODY: Holder = {
  pid: undefined,
  command: undefined,
  since: undefined,
  host: undefined,
  state: 'unknown',
}

/**
 * Takes the lock if nobody holds it, or a dead owner does. Where an owner cannot be looked up, `isSilent` says whether
 * its heartbeat has stopped.
 * @throws {AuthError} `store_unwritable`.
 */
export async function tryLock(path: string, isSilent: (beat: Beat) => boolean): Promise<Attempt> {
  try {
    const content = look(path)
    const holder = holderOf(path, content, isSilent)
    if (holder !== undefined) return { holder }
    clear(path, content)
    const handle = await holdLock(path)
    return handle === undefined ? { holder: SOMEBODY } : { handle }
  } catch (error) {
    return writing(path, () => {
      throw error
    })
  }
}

/** `undefined`: nobody, or nobody who will let it go. */
function holderOf(path: string, content: Content, isSilent: (beat: Beat) => boolean): Holder | undefined {
  if (content.kind === 'nothing' || (content.kind === 'ownerless' && content.remains)) return undefined
  const holder = content.kind === 'owned' ? ownerOf(path, content.name, content.beat) : SOMEBODY
  return holder?.state === 'unknown' && isSilent(content.beat) ? undefined : holder
}

function ownerOf(path: string, name: string, beat: Beat): Holder | undefined {
  const owner = readOwnerFile(join(path, name), name)?.owner
  // Damaged, or just released: in that case, the next attempt sees what came after.
  if (owner === undefined) return SOMEBODY
  const state = liveness(owner, beat.at)
  if (state === 'dead') return undefined
  const { pid, command, since, host } = owner
  return { pid, command, since, host, state }
}

/**
 * Watches one heartbeat at a time, and calls it silent when it looks old and has stayed the same for `patience` seconds
 * of looking at it. One look is not enough: when a machine wakes up, or its clock is set, every heartbeat looks old until
 * its owner has had its turn. Time in which this process did not look is not counted, since it may have slept as well.
 */
export function watchHeartbeat(patience: number): (beat: Beat) => boolean {
  let seen: string | undefined
  let last = 0
  let watched = 0
  return ({ id, at }) => {
    const now = performance.now()
    watched = id === seen ? watched + Math.min(now - last, WATCHED) : 0
    seen = id
    last = now
    return Math.abs(Date.now() - at) > STALE && watched >= patience * 1000
  }
}
