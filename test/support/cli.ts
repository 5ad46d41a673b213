import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { recordOutput, type SecretKind } from './secrets.ts'
import { recordFiles } from './written-files.ts'

/** The package asks for itself by name, so that this holds wherever this file is bundled to. */
const PACKAGE = dirname(createRequire(import.meta.url).resolve('codex-auth/package.json'))

/** The program as it is shipped. */
export const PROGRAM = join(PACKAGE, 'bin/codex-auth.js')

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** The folder of everything it keeps. */
  readonly home: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The Node.js to run it with; this one unless told. */
  readonly node?: string
  /** Another copy of the program. */
  readonly program?: string
}

export interface Running {
  readonly pid: number
  readonly stdin: NodeJS.WritableStream
  /** Resolves with the first match in what it has said on standard error. Rejects when it ends without one. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** The same for standard output. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** Milliseconds. Longer than anything here takes, so that one that hangs does not outlive its test. */
const TIME_LIMIT = 50_000

/** Starts the built program as a child process without a terminal. */
export function startCli(args: readonly string[], options: RunOptions): Running {
  const { home, node = process.execPath, program = PROGRAM } = options
  const child = spawn(node, [program, ...args], {
    env: { ...bareEnvironment(), CODEX_AUTH_HOME: home, ...options.env },
    stdio: 'pipe',
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
  })
  // It may end without having read what was sent to it.
  child.stdin.on('error', () => undefined)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([exitCode]) => {
    record(args, output)
    recordFiles(home)
    return { exitCode: exitCode as number | null, ...output }
  })
  if (child.pid === undefined) throw new Error('the program did not start')
  return {
    pid: child.pid,
    stdin: child.stdin,
    says: (pattern) => said(pattern, child.stderr, () => output.stderr, ended),
    prints: (pattern) => said(pattern, child.stdout, () => output.stdout, ended),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** Runs the built program to its end, with nothing on its standard input. */
export function runCli(args: readonly string[], options: RunOptions): Promise<Ended> {
  const running = startCli(args, options)
  running.stdin.end()
  return running.ended
}

/** The address that a sign-in has shown, as a person would copy it: the whole line. */
export async function addressOf(signIn: Running): Promise<string> {
  const [, address = ''] = await signIn.says(/^(https?:\S+)\n/m)
  return address
}

function said(
  pattern: RegExp,
  stream: NodeJS.ReadableStream,
  text: () => string,
  ended: Promise<Ended>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(text())
      if (match !== null) resolve(match)
    }
    stream.on('data', look)
    look()
    void ended.then(({ exitCode }) =>
      reject(new Error(`it ended with ${exitCode} without saying ${pattern}`)),
    )
  })
}

function record(args: readonly string[], output: { stdout: string; stderr: string }): void {
  const [command = ''] = args
  const printsToken: SecretKind[] = command === 'token' ? ['access_token', 'api_key'] : []
  recordOutput(output.stdout, `stdout of codex-auth ${command}`, printsToken)
  recordOutput(output.stderr, `stderr of codex-auth ${command}`)
}

/** What a test's outcome must not depend on: CI, proxies, and our own variables stay outside. */
function bareEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR, LANG } = process.env
  return { PATH, HOME, TMPDIR, LANG }
}
