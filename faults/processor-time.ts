import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Milliseconds of processor time that the children of this process have used until now, of those that have ended:
 * `proc_pid_stat(5)`, fields 16 and 17. `undefined`: this system does not tell.
 */
export function processorTime(): number | undefined {
  if (process.platform !== 'linux') return undefined
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / ticksPerSecond()
}

function ticksPerSecond(): number {
  return (known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' })))
}
let known: number | undefined
