import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contenders, Role } from './contenders.ts'

export interface Usage {
  /** Milliseconds of user and system time, of all threads. */
  readonly cpu: number
  /** The largest resident set, in MiB. */
  readonly peak: number
}

/**
 * Node.js cannot ask what a child has used (`getrusage(2)` for children), and the tools that can are not on every
 * machine. So each program says it itself as it ends, on a descriptor of its own: the same few lines in all of them,
 * the empty one included. What they cost, and that they miss the last moment of tearing down, is thus the same on both
 * sides of every ratio.
 *
 * The peak is `VmHWM` where there is one: Linux hands `maxRSS` on through `exec`, so that for a child it is never below
 * what this program occupied when it started the child.
 */
const REPORTER = `'use strict'
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const { readFileSync, writeSync } = require('node:fs')
  let peak = maxRSS
  if (process.platform === 'linux') {
    peak = Number(/^VmHWM:\\s*(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? maxRSS)
  }
  writeSync(3, JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1000, peak: peak / 1024 }))
})
`

/** Runs a program once. @throws when it does not print what it has to: whatever it did instead, it is no measurement. */
export async function measure(
  { home, commands, output }: Contenders,
  role: Role,
  node: string,
): Promise<Usage> {
  const reporter = join(home, 'reporter.cjs')
  writeFileSync(reporter, REPORTER)
  const child = spawn(node, ['--require', reporter, ...commands[role]], {
    env: { CODEX_AUTH_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
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
