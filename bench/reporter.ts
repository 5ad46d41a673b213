/**
 * Node.js cannot ask what a child has used (`getrusage(2)` for children), and the tools that can are not on every
 * machine. So each program says it itself as it ends, on a descriptor of its own: the same few lines in all of them,
 * the empty one included. What they cost, and that they miss the last moment of tearing down, is thus the same on both
 * sides of every ratio.
 *
 * The peak is `VmHWM` where there is one: Linux hands `maxRSS` on through `exec`, so that for a child it is never below
 * what this program occupied when it started the child.
 */
export const REPORTER = `'use strict'
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
