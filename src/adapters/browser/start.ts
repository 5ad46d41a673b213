import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { trace } from '../trace.ts'

/** `missing`: there is no such program. */
export type Outcome = 'started' | 'failed' | 'missing'

/** Milliseconds. What fails has failed by then; what is still running is the browser itself. */
const SETTLED = 1500

/**
 * Starts a program without a shell and on its own: nothing it prints is seen, it outlives this process, and this
 * process ends without it, even while this function still waits for how it went.
 */
export async function start(words: readonly string[], options: SpawnOptions): Promise<Outcome> {
  const [program = '', ...args] = words
  const outcome = await startChild(program, args, options)
  trace(() => `browser ${JSON.stringify(program)}: ${outcome}`)
  return outcome
}

async function startChild(program: string, args: string[], options: SpawnOptions): Promise<Outcome> {
  try {
    const child = spawn(program, args, { detached: true, ...options, stdio: 'ignore' })
    child.unref()
    return await outcomeOf(child)
  } catch {
    // Words that can be given to no program, as a NUL, or a batch file without its shell.
    return 'failed'
  }
}

/** How a program that was started does. It may have ended already. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, SETTLED, 'started').unref()
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    const ended = (): void => settle(child.exitCode === 0 ? 'started' : 'failed')
    child.on('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'ENOENT' ? 'missing' : 'failed'))
    child.once('exit', ended)
    if (child.exitCode !== null || child.signalCode !== null) ended()
  })
}
