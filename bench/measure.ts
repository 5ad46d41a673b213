import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Contenders, Role } from './contenders.ts'

export interface Usage {
  /** Milliseconds of user and system time, of all threads. */
  readonly cpu: number
  /** The largest resident set, in MiB. */
  readonly peak: number
}

/**
 * Runs a program once.
 * @throws when it does not print what it has to: whatever it did instead, it is no measurement. Also when it is
 * interrupted, which ends the program.
 */
export async function measure(
  { home, reporter, commands, output }: Contenders,
  role: Role,
  node: string,
  interruption: AbortSignal,
): Promise<Usage> {
  const child = spawn(node, ['--require', reporter, ...commands[role]], {
    env: { CODEX_AUTH_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    signal: interruption,
    killSignal: 'SIGKILL',
  })
  const texts = ['', '']
  for (const [at, descriptor] of [1, 3].entries()) {
    child.stdio[descriptor]?.on('data', (bytes: Buffer) => {
      texts[at] += bytes.toString('latin1')
    })
  }
  const [exitCode] = (await once(child, 'close')) as [number | null]
  const [printed, usage = ''] = texts
  if (exitCode !== 0 || printed !== output[role]) {
    throw new Error(`${role} did not print what it has to (exit code ${exitCode})`)
  }
  return JSON.parse(usage) as Usage
}
