import { setTimeout } from 'node:timers/promises'
import { AuthError } from '../../errors.ts'
import { tryLock, watchHeartbeat, type Holder } from './lock-attempt.ts'
import type { LockHandle } from './lock-hold.ts'

export type { LockHandle } from './lock-hold.ts'

/** Milliseconds between two attempts, at first and at most: a waiter goes on much sooner than a request would take. */
const PAUSE = { first: 10, longest: 80 }

export interface AcquireOptions<T> {
  /** Seconds; 30 unless given. */
  readonly deadline?: number | undefined
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Asked after every attempt that failed. Anything but `undefined` ends the wait. */
  readonly settled?: (() => T | undefined) | undefined
  /** Called about once a second. `waited` is in seconds. */
  readonly onWait?: ((holder: Holder, waited: number) => void) | undefined
  /** Seconds for which a heartbeat that looks old is watched before its lock is taken; 5 unless given. */
  readonly patience?: number | undefined
}

type Acquired<T> = { readonly handle: LockHandle } | { readonly settled: T }

/**
 * Takes the lock at this path, which is a folder while it is held, and waits for whoever holds it. The lock of a process
 * that died is taken at once; that of one that lives is never taken, even if it is stopped.
 * @throws {AuthError} `store_busy` at the deadline; `store_unwritable`; the signal's reason.
 */
export async function acquireLock<T = never>(
  path: string,
  options: AcquireOptions<T> = {},
): Promise<Acquired<T>> {
  const { deadline = 30, patience = 5, signal, settled, onWait } = options
  const isSilent = watchHeartbeat(patience)
  const start = performance.now()
  let told = 0
  for (let pause = PAUSE.first; ; pause = Math.min(2 * pause, PAUSE.longest)) {
    signal?.throwIfAborted()
    const attempt = await tryLock(path, isSilent)
    if ('handle' in attempt) return unlessAborted(attempt.handle, signal)
    const value = settled?.()
    if (value !== undefined) return { settled: value }
    const waited = (performance.now() - start) / 1000
    if (waited >= deadline) throw busy(path, attempt.holder)
    if (waited >= told + 1) {
      told = Math.floor(waited)
      onWait?.(attempt.holder, waited)
    }
    await sleep(Math.min(jittered(pause), (deadline - waited) * 1000), signal)
  }
}

/** Processes that came at the same time should not ask at the same time for ever. */
function jittered(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2)
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/** A lock that came together with the signal would end with the process, and not by its own release. */
async function unlessAborted(
  handle: LockHandle,
  signal: AbortSignal | undefined,
): Promise<{ handle: LockHandle }> {
  if (signal?.aborted) await handle.release()
  signal?.throwIfAborted()
  return { handle }
}

function busy(path: string, holder: Holder): AuthError {
  const since = holder.since === undefined ? '' : ` since ${new Date(holder.since * 1000).toISOString()}`
  const { more, nextStep } = ADVICE[holder.state](holder)
  return new AuthError('store_busy', `The lock ${path} is held by ${nameOf(holder)}${since}${more}.`, {
    nextStep,
  })
}

function nameOf({ pid, command }: Holder): string {
  return pid === undefined ? 'another process' : `process ${pid} (${command})`
}

const ADVICE: Record<Holder['state'], (holder: Holder) => { more: string; nextStep: string }> = {
  running: ({ pid }) => ({ more: '', nextStep: `Try again when process ${pid} has ended.` }),
  stopped: ({ pid }) => ({ more: ', and is stopped', nextStep: `kill -CONT ${pid}    # lets it go on` }),
  unknown: ({ host }) => ({
    more: host === undefined ? '' : ` on ${host}, out of sight`,
    nextStep: 'Try again in a minute; if it has ended, its lock is free by then.',
  }),
}
