import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM, type Ended } from '../test/support/cli.ts'

export interface Running {
  /** Resolves with its standard error so far as soon as that matches. Rejects when it ends without. */
  says(pattern: RegExp): Promise<string>
  readonly ended: Promise<Ended>
}

/** The built program, as child processes that share one `CODEX_AUTH_HOME`. */
export interface Program {
  start(args: readonly string[]): Running
  /** Runs it to its end. */
  run(args: readonly string[]): Promise<Ended>
  /** Ends whatever still runs; nothing can be started after it. */
  stop(): Promise<void>
}

export function programIn(home: string): Program {
  const running = new Map<Promise<Ended>, () => void>()
  let stopped = false
  const start = (args: readonly string[]): Running => {
    if (stopped) throw new Error('the demo has been stopped')
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: environment(home), stdio: 'pipe' })
    // It must not wait for a pasted address: the demo's own standard input stays the reader's.
    child.stdin.end()
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    }
    const ended = once(child, 'close').then(([exitCode]) => {
      running.delete(ended)
      return { exitCode: exitCode as number | null, ...output }
    })
    running.set(ended, () => void child.kill())
    return { says: (pattern) => said(pattern, child.stderr, output, ended), ended }
  }
  return {
    start,
    run: (args) => start(args).ended,
    stop: async () => {
      stopped = true
      for (const end of running.values()) end()
      await Promise.allSettled(running.keys())
    },
  }
}

function said(
  pattern: RegExp,
  stream: NodeJS.ReadableStream,
  output: { readonly stderr: string },
  ended: Promise<Ended>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    stream.on('data', () => {
      if (pattern.test(output.stderr)) resolve(output.stderr)
    })
    void ended.then(({ exitCode, stderr }) =>
      reject(new Error(`The program ended with exit code ${exitCode}. ${stderr}`.trimEnd())),
    )
  })
}

/** The reader's own, for the browser's sake; but a proxy is no way to this machine, and the reader's own logins stay out. */
function environment(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^CODEX_AUTH_|_proxy$|^CI$/i.test(name))
  return { ...Object.fromEntries(own), CODEX_AUTH_HOME: home }
}
