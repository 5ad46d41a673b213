import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { backgroundRefresh } from '../../src/adapters/background-refresh.ts'
import { sight } from '../../src/adapters/store/lock-process.ts'
import type { BackgroundRun } from '../../src/core/access-token-in-time.ts'
import { rejected } from '../support/thrown.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { plantLock } from '../support/lock-records.ts'

interface Setting {
  /** What runs instead of this program, in JavaScript. */
  readonly script?: string
  readonly node?: string
}

function background({ script = '', node = process.execPath }: Setting) {
  const root = temporaryFolder()
  mkdirSync(join(root, 'profiles'))
  const path = join(root, 'program.cjs')
  writeFileSync(path, script)
  const { run } = backgroundRefresh({ root, env: { ROOT: root }, program: { node, script: path } })
  return {
    root,
    run: (changes: Partial<BackgroundRun<string>> = {}) =>
      run({
        profile: 'work',
        generation: 7,
        within: 10,
        signal: new AbortController().signal,
        settled: () => undefined,
        ...changes,
      }),
  }
}

const FAILURE = `process.stdout.write(JSON.stringify({ error: { code: 'store_unwritable', message: 'The disk is full.', next_step: 'free it: codex-auth refresh --profile work' } })); process.exitCode = 7`

describe('a refresh in the background', () => {
  test('calls this program for the credential that was seen', async () => {
    const { root, run } = background({
      script: `require('fs').writeFileSync(process.env.ROOT + '/words', process.argv.slice(2).join(' '))`,
    })
    expect(await run()).toBe(undefined)
    expect(readFileSync(join(root, 'words'), 'utf8')).toBe(
      'refresh --if-generation 7 --profile work --json --quiet --no-input',
    )
  })

  test('has a session of its own', async () => {
    const { root, run } = background({
      script: `const fs = require('fs'); fs.writeFileSync(process.env.ROOT + '/session', String(fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')[3] === String(process.pid)))`,
    })
    await run()
    expect(readFileSync(join(root, 'session'), 'utf8')).toBe('true')
  })

  test('ends with the failure of that process, in its words', async () => {
    const { run } = background({ script: FAILURE })
    expect(await rejected(run())).toMatchObject({ code: 'store_unwritable', message: 'The disk is full.' })
    await expect(run()).rejects.toMatchObject({ nextStep: 'free it: codex-auth refresh' })
  })

  test('passes where the system has ended that process', async () => {
    const { run } = background({ script: `process.kill(process.pid, 'SIGKILL')` })
    expect(await rejected(run())).toEqual({
      code: 'timeout',
      exitCode: 5,
      message: 'The process that refreshes the login was ended by SIGKILL.',
      nextStep: 'try again in a moment',
    })
  })

  test.each([
    ['nothing', 'process.exitCode = 1'],
    ['no JSON', `process.stdout.write('oh'); process.exitCode = 1`],
    ['a code that nobody knows', FAILURE.replace('store_unwritable', 'other')],
  ])('is a bug where it says %s', async (_, script) => {
    const error: unknown = await background({ script })
      .run()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(AuthError)
  })

  test('passes where no process can be started', async () => {
    const { run } = background({ node: '/nowhere/node' })
    expect(await rejected(run())).toMatchObject({ code: 'timeout' })
  })

  test('is not waited for longer than is asked, and goes on', async () => {
    const { root, run } = background({
      script: `const fs = require('fs'); const end = setInterval(() => { if (fs.existsSync(process.env.ROOT + '/go')) { fs.writeFileSync(process.env.ROOT + '/done', ''); clearInterval(end) } }, 5)`,
    })
    const start = performance.now()
    expect(await rejected(run({ within: 0.3 }))).toMatchObject({ code: 'timeout' })
    expect(performance.now() - start).toBeLessThan(1000)
    writeFileSync(join(root, 'go'), '')
    await expect.poll(() => existsSync(join(root, 'done'))).toBe(true)
  })

  test('is not started when what is stored is enough already', async () => {
    expect(await background({ node: '/nowhere/node' }).run({ settled: () => 'enough' })).toBe('enough')
  })

  test('is not waited for when what is stored is enough', async () => {
    const { run } = background({ script: 'setTimeout(() => {}, 3000)' })
    let looks = 0
    expect(await run({ settled: () => (++looks > 3 ? 'enough' : undefined) })).toBe('enough')
  })

  test('is not waited for after a signal', async () => {
    const { run } = background({ script: 'setTimeout(() => {}, 3000)' })
    const reason = new AuthError('interrupted', 'Interrupted.')
    const controller = new AbortController()
    const settled = (): undefined => {
      controller.abort(reason)
    }
    await expect(run({ signal: controller.signal, settled })).rejects.toBe(reason)
  })
})

describe('of several calls', () => {
  test('one starts the refresh, and the others look at what is stored', async () => {
    const { root, run } = background({
      script: `const fs = require('fs'); fs.appendFileSync(process.env.ROOT + '/starts', 'x'); fs.writeFileSync(process.env.ROOT + '/new', '')`,
    })
    const settled = (): string | undefined => (existsSync(join(root, 'new')) ? 'new' : undefined)
    const all = await Promise.all(Array.from({ length: 8 }, () => run({ settled })))
    expect(all).toEqual(Array.from({ length: 8 }, () => 'new'))
    expect(readFileSync(join(root, 'starts'), 'utf8')).toBe('x')
  })

  test('one that has the turn is left to it, until time is over', async () => {
    const { root, run } = background({})
    // This process is alive, and does not give it back.
    plantLock(join(root, 'profiles/work.turn'))
    expect(await rejected(run({ within: 1.5 }))).toMatchObject({ code: 'timeout' })
    expect(processesOf(root)).toEqual([])
  })

  test('one that has the turn and is stopped keeps nobody from starting it', async () => {
    const { root, run } = background({
      script: `require('fs').writeFileSync(process.env.ROOT + '/started', '')`,
    })
    const holder = spawn('sleep', ['60'])
    onTestFinished(() => void holder.kill('SIGKILL'))
    const { pid = 0 } = holder
    holder.kill('SIGSTOP')
    await expect.poll(() => isStopped(pid)).toBe(true)
    plantLock(join(root, 'profiles/work.turn'), { owner: { pid, start: sight(pid).start } })
    await run()
    expect(existsSync(join(root, 'started'))).toBe(true)
  })

  test('none waits for a turn where no lock can be made', async () => {
    const { root, run } = background({ script: FAILURE })
    writeFileSync(join(root, 'profiles/work.turn'), 'in the way')
    chmodSync(join(root, 'profiles/work.turn'), 0o600)
    expect(await rejected(run())).toMatchObject({ code: 'store_unwritable' })
  })
})

/** Processes that were started from this folder. */
function processesOf(root: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandOf(pid).includes(`${root}/`))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    // It has just ended.
    return ''
  }
}

function isStopped(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T ')
}
