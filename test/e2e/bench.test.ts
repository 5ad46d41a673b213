import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { PROGRAM } from '../support/cli.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const BENCH = join(dirname(PROGRAM), '../build/bench.js')
const LIBRARY_CALL = join(dirname(PROGRAM), '../build/library-call.js')

function bench(
  folder: string,
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [BENCH, ...args],
      { env: { ...process.env, TMPDIR: folder } },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

test('the bench prints one table for each Node.js, with every program against the floor', async () => {
  const folder = temporaryFolder()

  const { exitCode, stdout, stderr } = await bench(folder, '--pairs', '3', '--node', process.execPath)

  const table = [
    'Node.js VERSION, median of 3 pairs',
    ' CPU ms × floor peak MiB × floor',
    ' codex-auth token N N (N–N) N N (N–N)',
    ' the floor N 1 N 1',
    ' an empty file N N (N–N) N N (N–N)',
    ' budget N × floor: VERDICT',
    '',
  ]
  const withoutFigures = stdout
    .replaceAll(process.version, 'VERSION')
    .replaceAll(/\d+\.\d+/g, 'N')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/(?:kept|exceeded)$/gm, 'VERDICT')
  expect({ exitCode, stderr, lines: withoutFigures.split('\n'), left: readdirSync(folder) }).toEqual({
    exitCode: 0,
    stderr: '',
    lines: [...table, ...table, ''],
    left: [],
  })
})

test('the bench refuses a number of pairs that is none', async () => {
  const { exitCode, stdout, stderr } = await bench(temporaryFolder(), '--pairs', 'many')

  expect({ exitCode, stdout, firstLine: stderr.split('\n')[0] }).toEqual({
    exitCode: 2,
    stdout: '',
    firstLine: '--pairs takes a whole number from 1',
  })
})

test('Ctrl-C ends the bench in the middle, and leaves nothing behind', async () => {
  const folder = temporaryFolder()
  const child = spawn(process.execPath, [BENCH, '--pairs', '1000'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: 'ignore',
  })
  const ended = once(child, 'close')
  await vi.waitUntil(() => readdirSync(folder).length > 0, { timeout: 30_000 })

  child.kill('SIGINT')

  const [exitCode] = await ended
  expect({ exitCode, left: readdirSync(folder) }).toEqual({ exitCode: 130, left: [] })
})

test('the time of a call that finds its token in memory is measured', async () => {
  const { stdout } = spawnSync(process.execPath, [LIBRARY_CALL], { encoding: 'utf8' })

  const shape =
    /^Node\.js v[\d.]+, \d+ calls of accessToken\(\): median \d+\.\d µs, 99 in 100 below \d+\.\d µs\n$/
  expect(stdout).toMatch(shape)
})
