import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { rolldown } from 'rolldown'
import { sight } from '../../src/adapters/store/lock-process.ts'

/** What a process does with the lock at `path`. It tells `waiting` at each attempt that failed. */
export type LockTask = { readonly path: string } & (
  | {
      /** Takes it, tells `held`, and does as it is told: `spend`, `release` (then tells `released`), `exit`. */
      readonly kind: 'hold'
    }
  | {
      /** Adds one to the number in a file, reading and writing it apart, each time with the lock held. */
      readonly kind: 'count'
      readonly counter: string
      readonly times: number
    }
  | {
      /** As `count`, but each time leaves the lock as if it had died with it. */
      readonly kind: 'abandon'
      readonly counter: string
      readonly times: number
      /** A process number that belongs to nobody. */
      readonly deadPid: number
    }
  | {
      /** As `count`, once, and sends itself the signal before its nth operation on files in the lock's folder. */
      readonly kind: 'interrupt'
      readonly counter: string
      readonly step: number
      readonly signal: 'SIGKILL' | 'SIGSTOP'
    }
)

export type LockEvent = 'waiting' | 'held' | 'spent' | 'released'
export type LockOrder = 'spend' | 'release' | 'exit'

export interface LockProcess {
  readonly pid: number
  /** Resolves when it has told this once more than before. Rejects when it ends without. */
  tells(event: LockEvent): Promise<void>
  order(order: LockOrder): void
  signal(signal: NodeJS.Signals): void
  /** Resolves when it has stopped, or ended. */
  halted(): Promise<'stopped' | 'ended'>
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export interface LockProgram {
  start(task: LockTask): LockProcess
  /** Ends every process it has started. */
  close(): void
}

/** Builds the program that these processes run into a folder: this Node.js need not know TypeScript. */
export async function buildLockProgram(folder: string): Promise<LockProgram> {
  const build = await rolldown({
    input: join(import.meta.dirname, 'lock-child.ts'),
    platform: 'node',
    external: [/^node:/],
  })
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: 'child.mjs',
    chunkFileNames: '[name]-[hash].mjs',
  })
  await build.close()
  const started: ChildProcess[] = []
  return {
    start: (task) => {
      const child = fork(join(folder, 'child.mjs'), [JSON.stringify(task)], {
        execArgv: [],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      started.push(child)
      return lockProcess(child)
    },
    close: () => {
      for (const child of started) child.kill('SIGKILL')
    },
  }
}

function lockProcess(child: ChildProcess): LockProcess {
  const { pid } = child
  if (pid === undefined) throw new Error('the process did not start')
  const told = mailbox(child)
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  return {
    pid,
    tells: told,
    order: (order) => void child.send(order),
    signal: (signal) => void child.kill(signal),
    halted: () => halted(child),
    ended,
  }
}

function mailbox(child: ChildProcess): (event: LockEvent) => Promise<void> {
  const unread: LockEvent[] = []
  child.on('message', (event: LockEvent) => {
    unread.push(event)
    child.emit('told')
  })
  return async (event) => {
    while (!unread.includes(event)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it ended and never told "${event}"`)
      await Promise.race([once(child, 'told'), once(child, 'close')])
    }
    unread.splice(unread.indexOf(event), 1)
  }
}

async function halted(child: ChildProcess): Promise<'stopped' | 'ended'> {
  while (child.exitCode === null && child.signalCode === null) {
    if (sight(child.pid ?? 0).state === 'stopped') return 'stopped'
    await setTimeout(2)
  }
  return 'ended'
}
