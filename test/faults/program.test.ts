import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SCENARIOS } from '../../faults/scenarios.ts'
import { PROGRAM } from '../support/cli.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const PACKAGE = join(dirname(PROGRAM), '..')
const FAULTS = join(PACKAGE, 'build/faults.js')
const PAGE = join(PACKAGE, 'docs/reliability.md')

/** With a folder of its own for everything temporary, and not on a terminal. */
function start(folder: string, ...args: string[]) {
  const child = spawn(process.execPath, [FAULTS, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    ...output,
  }))
  return { child, ended }
}

test('one scenario prints its seed and one table, and leaves nothing behind', async () => {
  const folder = temporaryFolder()
  const page = statSync(PAGE).mtimeMs
  const { exitCode, stdout, stderr } = await start(folder, '--only', 'clock', '--short', '--seed', '7').ended
  const lines = stdout.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-').split('\n')
  expect({ exitCode, stderr: stderr.replace(/\d+\.\d/, 'N'), lines: lines.slice(0, 5) }).toEqual({
    exitCode: 0,
    stderr: 'clock: N s\n',
    lines: [
      'seed 7',
      '',
      '| fault | tried | refreshes sent | tokens spent twice | logins lost | files damaged | hangs over 5 s | notes |',
      '|-|-:|-:|-:|-:|-:|-:|-|',
      '| clocks that are wrong, or were put right | 12 | 12 | 0 | 0 | 0 | 0 | 12 kinds |',
    ],
  })
  expect({ left: readdirSync(folder), page: statSync(PAGE).mtimeMs }).toEqual({ left: [], page })
})

// Elsewhere there is no /proc to look into.
test.skipIf(process.platform !== 'linux').for(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle leaves no process, no disk and no file',
  async (signal) => {
    const folder = temporaryFolder()
    const { child, ended } = start(folder, '--only', 'stopped', '--only', 'disk-before', '--short')
    await expect.poll(() => programsIn(folder).length, { timeout: 20_000 }).toBeGreaterThan(3)
    child.kill(signal)
    const { exitCode } = await ended
    expect(exitCode).toBe(signal === 'SIGINT' ? 130 : 143)
    await expect.poll(() => programsIn(folder)).toEqual([])
    expect({ left: readdirSync(folder), mounted: mountedIn(folder) }).toEqual({ left: [], mounted: [] })
  },
)

test.for([
  { args: ['--only', 'nothing'], line: 'there is no scenario "nothing"' },
  { args: ['--seed', 'x'], line: '--seed takes a whole number from 0' },
  { args: ['--fast'], line: "Unknown option '--fast'" },
])('a wrong call ($args) ends with 2 and says how to call it', async ({ args, line }) => {
  const { exitCode, stdout, stderr } = await start(temporaryFolder(), ...args).ended
  expect({ exitCode, stdout, first: stderr.split('\n')[0]?.slice(0, line.length) }).toEqual({
    exitCode: 2,
    stdout: '',
    first: line,
  })
})

test('the help names every scenario', async () => {
  const { exitCode, stdout } = await start(temporaryFolder(), '--help').ended
  expect({ exitCode, missing: SCENARIOS.filter(({ name }) => !stdout.includes(name)) }).toEqual({
    exitCode: 0,
    missing: [],
  })
})

/** Processes that run something from this folder. */
function programsIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => commandOf(name).includes(`${folder}/`))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    // It has just ended.
    return ''
  }
}

function mountedIn(folder: string): string[] {
  return readFileSync('/proc/mounts', 'latin1')
    .split('\n')
    .filter((line) => line.includes(folder))
}
