import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { AuthError } from '../errors.ts'
import type { BackgroundRefresh, BackgroundRun } from '../core/access-token-in-time.ts'
import { codeEndingAs, isPassing } from '../core/exit-code.ts'
import type { Program } from './own-command.ts'
import { asObject, jsonObject } from './provider/json-object.ts'
import { acquireLock } from './store/lock.ts'
import { trace } from './trace.ts'

/** Milliseconds between two looks at what another process may have saved. */
const PAUSE = 40

/** Characters. More than a result or a failure takes. */
const OUTPUT_LIMIT = 64 * 1024

interface BackgroundOptions {
  /** The folder of everything. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly program: Program
}

/** Runs `refresh` of this same program, apart from this process's session and whoever may end that. */
export function backgroundRefresh(options: BackgroundOptions): BackgroundRefresh {
  return { run: (request) => inTurn(options, request) }
}

async function inTurn<T>(options: BackgroundOptions, request: BackgroundRun<T>): Promise<T | undefined> {
  const end = performance.now() + request.within * 1000
  const turn = await takeTurn(options, request)
  if (turn !== undefined && 'settled' in turn) return turn.settled
  try {
    return await started(options, request, end)
  } finally {
    await turn?.handle.release()
  }
}

/**
 * Of the calls of one moment, one starts the refresh and the others look at what it comes to: a machine with dozens of them
 * has better things to do than to start dozens of processes more. `undefined`: this one must not wait for the others.
 */
async function takeTurn<T>({ root }: BackgroundOptions, request: BackgroundRun<T>) {
  const { profile, settled, within } = request
  const stuck = new AbortController()
  const signal = AbortSignal.any([request.signal, stuck.signal])
  const onWait = ({ state }: { readonly state: string }): void => {
    if (state !== 'running') stuck.abort()
  }
  try {
    const path = join(root, 'profiles', `${profile}.turn`)
    return await acquireLock(path, { deadline: Math.max(0, within), settled, signal, onWait })
  } catch (error) {
    request.signal.throwIfAborted()
    if (stuck.signal.aborted) return undefined
    if (!isPassing(error)) throw error
    // Whoever has the turn is still at it.
    if (error.code === 'store_busy') throw outOfTime()
    return undefined
  }
}

async function started<T>(
  options: BackgroundOptions,
  request: BackgroundRun<T>,
  end: number,
): Promise<T | undefined> {
  const already = request.settled()
  if (already !== undefined) return already
  const child = start(options, request)
  const ended = outcome(child)
  try {
    for (;;) {
      request.signal.throwIfAborted()
      if (performance.now() >= end) throw outOfTime()
      const pause = Math.min(PAUSE, Math.max(1, end - performance.now()))
      const failure = await Promise.race([ended, setTimeout(pause)])
      if (failure === 'done') return request.settled()
      if (failure !== undefined) throw failure
      const value = request.settled()
      if (value !== undefined) return value
    }
  } finally {
    child.stdout?.destroy()
    child.unref()
  }
}

function start(
  { env, program }: BackgroundOptions,
  { profile, generation }: Pick<BackgroundRun<unknown>, 'profile' | 'generation'>,
): ChildProcess {
  const words = ['refresh', '--if-generation', String(generation), '--profile', profile]
  const args = [program.script, ...words, '--json', '--quiet', '--no-input']
  trace(() => `refresh in a process of its own: ${program.node} ${args.join(' ')}`)
  const child = spawning(program.node, args, {
    env,
    // A session of its own: what ends this process, or its group, or its terminal, does not end that one.
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
  })
  child.unref()
  return child
}

/** Most of what can go wrong comes as an event, but not all. */
function spawning(...call: Parameters<typeof spawn>): ChildProcess {
  try {
    return spawn(...call)
  } catch (error) {
    throw notStarted(error as NodeJS.ErrnoException)
  }
}

function notStarted({ code }: NodeJS.ErrnoException): AuthError {
  return new AuthError('timeout', `No process could be started for the refresh (${code}).`)
}

/** Resolves with how it went; never rejects. */
function outcome(child: ChildProcess): Promise<Error | 'done'> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < OUTPUT_LIMIT) output += text
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(notStarted(error)))
    child.on('close', (exitCode, signal) => {
      if (signal !== null) resolve(endedBy(signal))
      else resolve(exitCode === 0 ? 'done' : failureIn(output, exitCode))
    })
  })
}

/** By the system that has no memory left, or by a person: no fault of this program, and it may have saved its answer. */
function endedBy(signal: NodeJS.Signals): AuthError {
  return new AuthError('timeout', `The process that refreshes the login was ended by ${signal}.`, {
    nextStep: 'try again in a moment',
  })
}

/** The failure as the other process has put it into words. */
function failureIn(output: string, exitCode: number | null): Error {
  const error = asObject(jsonObject(output)?.['error'])
  const code = codeEndingAs(error?.['code'])
  const [message, next] = [error?.['message'], error?.['next_step']]
  if (code === undefined || typeof message !== 'string' || typeof next !== 'string')
    return new Error(`codex-auth refresh ended with ${exitCode} and without a result`)
  // Which profile it is about is put in again by whoever shows it.
  return new AuthError(code, message, { nextStep: next.replaceAll(/ --profile \S+/g, '') })
}

function outOfTime(): AuthError {
  return new AuthError('timeout', 'The refresh takes longer than --timeout allows; it goes on by itself.', {
    nextStep: 'try again in a moment: the new token is there as soon as the provider has answered',
  })
}
