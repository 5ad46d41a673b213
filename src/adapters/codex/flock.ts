import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { AuthError } from '../../errors.ts'
import { writing } from '../store/durable-file.ts'
import { trace } from '../trace.ts'

/** A program that takes flock(2) on its descriptor 3 without waiting, and ends with 0 when it has it. */
export interface Locker {
  readonly program: string
  readonly args: readonly string[]
  /** How it ends when somebody else has the lock; in any other way, it has failed. */
  readonly held: number
}

const PERL = 'open(F, "+<&=3") or exit 2; exit(flock(F, 2 | 4) ? 0 : $!{EWOULDBLOCK} ? 75 : 2)'
const PYTHON = 'import fcntl\ntry: fcntl.flock(3, 6)\nexcept BlockingIOError: raise SystemExit(75)'

/**
 * Node.js has no flock(2). The lock belongs to the open file, not to the process: taken by a child on a descriptor that
 * it shares with us, it is ours when the child has ended, and ends with us. Windows has nothing of the kind.
 */
export const LOCKERS: readonly Locker[] =
  process.platform === 'win32'
    ? []
    : [
        { program: 'flock', args: ['-x', '-n', '3'], held: 1 },
        { program: 'perl', args: ['-e', PERL], held: 75 },
        { program: 'python3', args: ['-c', PYTHON], held: 75 },
      ]

export interface LockWait {
  /** Milliseconds since the epoch at which waiting ends. */
  readonly deadline: number
  /** Its reason ends the wait. */
  readonly signal: AbortSignal
}

/** Milliseconds between two tries. Codex holds its locks for a few. */
const PAUSE = 50

/**
 * Takes the lock that Codex takes with flock(2) on this file, which is made with `mode` if need be. Returns what gives
 * it back.
 * @throws {AuthError} `store_busy` at the deadline; `store_unwritable` where none of the programs is to be had.
 */
export async function takeLock(
  path: string,
  mode: number,
  { deadline, signal }: LockWait,
  lockers: readonly Locker[] = LOCKERS,
): Promise<() => void> {
  const descriptor = writing(path, () => openSync(path, constants.O_RDWR | constants.O_CREAT, mode))
  try {
    while (!(await tryLock(descriptor, path, lockers))) {
      signal.throwIfAborted()
      if (Date.now() >= deadline) throw busy(path)
      await pause(PAUSE, signal)
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
  trace(() => `has the lock ${path}`)
  return () => closeSync(descriptor)
}

/** @throws the signal's reason. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(milliseconds, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

async function tryLock(descriptor: number, path: string, lockers: readonly Locker[]): Promise<boolean> {
  for (const locker of lockers) {
    const outcome = await run(locker, descriptor)
    if (outcome === 0 || outcome === locker.held) return outcome === 0
    trace(() => `${locker.program} cannot lock ${path}: ${outcome}`)
  }
  throw new AuthError('store_unwritable', `Codex's lock ${path} cannot be taken on this machine.`, {
    nextStep: 'install flock (util-linux), Perl or Python 3; Windows has no such lock',
  })
}

/** The exit code, or why there is none. */
async function run({ program, args }: Locker, descriptor: number): Promise<number | string> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', descriptor], windowsHide: true })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    return code ?? signal ?? 'unknown'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return code
  }
}

function busy(path: string): AuthError {
  return new AuthError('store_busy', `Codex is changing its login, and holds ${path}.`, {
    nextStep: 'wait for Codex, or end it, and try again',
  })
}
