import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import type { LockHandle } from '../../src/adapters/store/lock.ts'
import { lockPlace } from '../support/lock-place.ts'
import { buildLockProgram, type LockProcess, type LockProgram } from '../support/lock-program.ts'
import { deadPid, plantLock, tree } from '../support/lock-records.ts'

const place = lockPlace()
let program: LockProgram
let counter: string

beforeAll(async () => {
  program = await buildLockProgram(join(place.root, 'program'))
})

beforeEach(() => {
  counter = join(place.root, `counter-${Math.random()}`)
  writeFileSync(counter, '0')
})

afterAll(() => program.close())

describe('many processes at once', () => {
  it('lose nothing of what each of them adds', async () => {
    const task = { kind: 'count', path: place.path, counter, times: 10 } as const
    const ends = await Promise.all(Array.from({ length: 30 }, () => program.start(task).ended))

    expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null })))
    expect(readFileSync(counter, 'utf8')).toBe('300')
    expect(tree(place.folder)).toEqual([])
  })

  it('exclude each other while all of them take the locks of dead ones', async () => {
    const task = { kind: 'abandon', path: place.path, counter, times: 60, deadPid: deadPid() } as const
    const ends = await Promise.all(Array.from({ length: 6 }, () => program.start(task).ended))

    expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null })))
    expect(readFileSync(counter, 'utf8')).toBe('360')
    await (await place.take()).release()
    expect(tree(place.folder)).toEqual([])
  })
})

describe("a process that takes a dead one's lock and releases it", () => {
  it('may be killed at any step: the next one has the lock at once, and knows what was being spent', async () => {
    const steps = await atEveryStep('SIGKILL', async () => {
      const start = performance.now()
      const lock = await place.take({ deadline: 5 })
      expect(performance.now() - start).toBeLessThan(1000)
      expect(lock.previous?.token).toBe('hash')
      await lock.release()
    })
    expect(steps).toBeGreaterThan(20)
  })

  it('may sleep at any step, for long: it keeps the lock, or another one has it, and never both', async () => {
    const refusals: (string | undefined)[] = []
    await atEveryStep('SIGSTOP', async (sleeper) => {
      ageLeftovers()
      const lock = await place.take().catch((error: AuthError) => error)
      const refused = lock instanceof AuthError
      refusals.push(refused ? lock.message : undefined)
      await (refused ? letFinish(sleeper) : wakeInVain(sleeper, lock))
      expect(await sleeper.ended).toEqual({ code: 0, signal: null })
    })

    // It sleeps before it has the lock, while it has it, and after.
    const phases = refusals.map((one) => one?.replace(/^.* is /, 'it is '))
    expect(phases.filter((one, index) => one !== phases[index - 1] || index === 0)).toEqual([
      undefined,
      'it is stopped.',
      undefined,
    ])
  })
})

/** It has the lock: it releases it, and another one can have it. */
async function letFinish(sleeper: LockProcess): Promise<void> {
  sleeper.signal('SIGCONT')
  await (await place.take({ deadline: 5 })).release()
}

/** We have the lock: it has to wait, unless it was about to end. */
async function wakeInVain(sleeper: LockProcess, lock: LockHandle): Promise<void> {
  const witness = `${counter}.witness`
  writeFileSync(witness, '', { flag: 'wx' })
  sleeper.signal('SIGCONT')
  await Promise.race([thrice(() => sleeper.tells('waiting')), sleeper.ended])
  rmSync(witness)
  await lock.release()
}

/** Lets a process take and release a dead one's lock, interrupted before its first step, its second, and so on. */
async function atEveryStep(
  signal: 'SIGKILL' | 'SIGSTOP',
  check: (interrupted: LockProcess) => Promise<void>,
): Promise<number> {
  const owner = { pid: deadPid() }
  for (let step = 1; ; step++) {
    plantLock(place.path, { owner, spending: 'hash' })
    const child = program.start({ kind: 'interrupt', path: place.path, counter, step, signal })
    if ((await child.halted()) === 'ended' && signal === 'SIGSTOP') return step - 1
    if (signal === 'SIGKILL' && (await child.ended).signal === null) return step - 1
    await check(child)
    ageLeftovers()
    await (await place.take()).release()
    expect(tree(place.folder)).toEqual([])
  }
}

/** As if a minute had gone by, after which they may be swept. */
function ageLeftovers(): void {
  for (const name of readdirSync(place.folder).filter((entry) => entry.startsWith('.'))) {
    utimesSync(join(place.folder, name), 1, 1)
  }
}

async function thrice(work: () => Promise<void>): Promise<void> {
  for (let n = 0; n < 3; n++) await work()
}
