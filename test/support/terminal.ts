import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM } from './cli.ts'
import { recordOutput, type SecretKind } from './secrets.ts'
import { recordFiles } from './written-files.ts'

export interface OnTerminal {
  /** Resolves with the first match in what the terminal shows. Rejects when the program ends without one. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** Types this; `\x03` is Ctrl-C. */
  type(text: string): void
  /** Resolves with the exit code and all that was shown. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly shown: string }>
}

export interface TerminalOptions {
  readonly home: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What is shown on purpose. */
  readonly mayContain?: readonly SecretKind[]
}

/** Milliseconds. Longer than anything here takes, so that one that hangs says in its test how far it came. */
const TIME_LIMIT = 50_000

/** Starts the built program at a terminal of its own, which util-linux's `script` plays. */
export function startOnTerminal(args: readonly string[], options: TerminalOptions): OnTerminal {
  const { home, env, mayContain = [] } = options
  // So wide that nothing is wrapped: what is asserted here are whole lines.
  const command = `stty cols 500; exec ${[process.execPath, PROGRAM, ...args].map(quoted).join(' ')}`
  const { PATH, HOME, TMPDIR } = process.env
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: {
      PATH,
      HOME,
      TMPDIR,
      TERM: 'xterm',
      SHELL: '/bin/sh',
      // What is asserted is text; a test of colours asks for them.
      NO_COLOR: '1',
      CODEX_AUTH_HOME: home,
      ...env,
    },
    stdio: 'pipe',
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const ended = once(child, 'close').then(([exitCode]) => {
    recordOutput(shown, `a terminal with codex-auth ${args[0] ?? ''}`, mayContain)
    recordFiles(home)
    return { exitCode: exitCode as number | null, shown: shown.replaceAll('\r\n', '\n') }
  })
  return {
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(shown)
          if (match !== null) resolve(match)
        }
        child.stdout.on('data', look)
        look()
        void ended.then(({ exitCode }) =>
          reject(new Error(`it ended with ${exitCode} without showing ${pattern}`)),
        )
      }),
    type: (text) => void child.stdin.write(text),
    ended,
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
