import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { recordOutput } from '../test/support/secrets.ts'

export interface Ended {
  /** `null`: a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds. */
  readonly elapsed: number
  /** It took more than five seconds longer than it had reason to. */
  readonly hung: boolean
}

export interface RunOptions {
  /** The folder of everything it keeps. */
  readonly home: string
  /** Its folder for temporary files. */
  readonly temporary: string
  /** Seconds that it may wait for something before its five seconds begin. */
  readonly wait?: number
  /** A command with its arguments that runs the program, as `strace` does. */
  readonly through?: readonly string[]
  /** The user it runs as, by number. */
  readonly user?: number
}

export interface Running {
  readonly pid: number
  /** Resolves with the first match in what it has said on standard error. Rejects when it ends without one. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** The built program, as processes of their own. */
export interface Program {
  readonly path: string
  start(args: readonly string[], options: RunOptions): Running
  /** Ends every process that still runs, stopped ones as well. */
  close(): void
}

/** Milliseconds. */
const HANG = 5000
/** A process that hangs is ended after so many milliseconds, so that the others can be tried. */
const END_OF_HANG = 60_000

/** `path`: its bin file. */
export function programAt(path: string): Program {
  const children = new Set<ChildProcess>()
  return {
    path,
    start: (args, options) => {
      const [command = '', ...words] = [...(options.through ?? []), process.execPath, path, ...args]
      const started = performance.now()
      const child = spawn(command, words, {
        env: environment(options),
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own: what runs it must not survive it, nor a Ctrl-C reach it before we say so.
        detached: true,
        ...(options.user !== undefined && { uid: options.user, gid: options.user }),
      })
      children.add(child)
      child.once('close', () => children.delete(child))
      return running(child, args, { started, limit: HANG + (options.wait ?? 0) * 1000 })
    },
    close: () => {
      for (const child of children) signalGroup(child, 'SIGKILL')
    },
  }
}

function running(
  child: ChildProcess,
  args: readonly string[],
  { started, limit }: { started: number; limit: number },
): Running {
  const { pid } = child
  if (pid === undefined) throw new Error('the program did not start')
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  }
  const deadline = setTimeout(() => signalGroup(child, 'SIGKILL'), limit + END_OF_HANG)
  const ended = once(child, 'close').then(([exitCode]): Ended => {
    clearTimeout(deadline)
    recordOutput(output.stderr, `stderr of codex-auth ${args[0]} under a fault`)
    const elapsed = performance.now() - started
    return { exitCode: exitCode as number | null, ...output, elapsed, hung: elapsed > limit }
  })
  return {
    pid,
    ended,
    signal: (signal) => signalGroup(child, signal),
    says: (pattern) => said(pattern, child, output, ended),
  }
}

function said(
  pattern: RegExp,
  child: ChildProcess,
  output: { readonly stderr: string },
  ended: Promise<Ended>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(output.stderr)
      if (match !== null) resolve(match)
    }
    child.stderr?.on('data', look)
    look()
    void ended.then(({ exitCode }) =>
      reject(new Error(`it ended with ${exitCode} without saying ${pattern}`)),
    )
  })
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // It has just ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What a run must not depend on: proxies, CI and the person's own logins, Codex's as well, stay outside. */
function environment({ home, temporary }: RunOptions): NodeJS.ProcessEnv {
  const { PATH, LANG } = process.env
  return {
    PATH,
    LANG,
    HOME: temporary,
    TMPDIR: temporary,
    CODEX_AUTH_HOME: home,
    CODEX_HOME: join(home, 'codex'),
  }
}
