import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import properLockfile from 'proper-lockfile'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { acquireLock } from '../../../src/adapters/store/lock.ts'
import { lockPlace } from '../../support/lock-place.ts'
import { buildLockProgram, type LockProcess, type LockProgram } from '../../support/lock-program.ts'
import { plantLock, setAge, tree } from '../../support/lock-records.ts'

// Processes are slow to start on a busy machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const place = lockPlace()
let program: LockProgram

beforeAll(async () => {
  program = await buildLockProgram(join(place.root, 'program'))
})

afterAll(() => program.close())

describe('a free lock', () => {
  it('is taken, and leaves nothing behind when it is released', async () => {
    const lock = await place.take()
    const held = tree(place.folder)
    const released = await lock.release()

    expect(held).toEqual(['default.lock', expect.stringMatching(/^default\.lock\/owner-[0-9a-f]{32}$/)])
    expect({ released, left: tree(place.folder) }).toEqual({ released: true, left: [] })
    expect(lock).toMatchObject({ compromised: false, previous: undefined })
  })

  it('is held by one at a time of twenty in the same process', async () => {
    const inside = new Set<number>()
    const together: number[] = []
    const one = async (n: number): Promise<void> => {
      const lock = await place.take({ deadline: 30 })
      together.push(inside.add(n).size)
      await setTimeout(1)
      inside.delete(n)
      await lock.release()
    }
    await Promise.all(Array.from({ length: 20 }, (_, n) => one(n)))

    expect(together).toEqual(Array.from({ length: 20 }, () => 1))
    expect(tree(place.folder)).toEqual([])
  })

  it('can be released twice', async () => {
    const lock = await place.take()
    expect([await lock.release(), await lock.release()]).toEqual([true, true])
  })

  it('is respected by whoever uses proper-lockfile alone', async () => {
    const plainly = (): Promise<() => Promise<void>> =>
      properLockfile.lock(place.folder, { lockfilePath: place.path, retries: 0 })
    const lock = await place.take()
    await expect(plainly()).rejects.toMatchObject({ code: 'ELOCKED' })
    await lock.release()

    const unlock = await plainly()
    expect((await place.refusal()).code).toBe('store_busy')
    await unlock()
    await (await place.take()).release()
    expect(tree(place.folder)).toEqual([])
  })

  it('cannot be taken where there is no folder to put it in', async () => {
    rmSync(place.folder, { recursive: true })
    expect((await place.refusal()).code).toBe('store_unwritable')

    writeFileSync(place.folder, '')
    expect((await place.refusal()).code).toBe('store_unwritable')
  })
})

describe('a held lock', () => {
  it('has its heartbeat renewed, which also notices what others did to it', async () => {
    const [lostPath, movedPath] = [join(place.folder, 'lost.lock'), join(place.folder, 'moved.lock')]
    const kept = await place.take()
    const lost = await place.take({}, lostPath)
    const moved = await place.take({}, movedPath)
    setAge(place.path, 3600)
    takeAway(lostPath)
    plantLock(lostPath)
    renameSync(movedPath, `${movedPath}.away`)
    const noticed = (): boolean => ageOf(place.path) < 60 && lost.compromised && moved.compromised
    await vi.waitUntil(noticed, { timeout: 10_000, interval: 20 })
    renameSync(`${movedPath}.away`, movedPath)

    expect(kept.compromised).toBe(false)
    expect([await kept.release(), await lost.release(), await moved.release()]).toEqual([true, true, true])
    expect(tree(place.folder)).toEqual(['lost.lock', expect.stringMatching(/^lost\.lock\/owner-/)])
  })

  it('goes on when an earlier one of the same process, which was lost, is released', async () => {
    const lost = await place.take()
    takeAway(place.path)
    const kept = await place.take()
    await lost.release()
    setAge(place.path, 3600)
    await vi.waitUntil(() => ageOf(place.path) < 60, { timeout: 10_000, interval: 20 })

    expect((await place.refusal()).code).toBe('store_busy')
    await kept.release()
    expect(tree(place.folder)).toEqual([])
  })

  it('is found lost before anything is spent', async () => {
    const lock = await place.take()
    takeAway(place.path)
    plantLock(place.path)

    expect(() => lock.recordSpending('hash')).toThrowError(expect.objectContaining({ code: 'store_busy' }))
    expect(lock.compromised).toBe(true)
    await lock.release()
  })

  it('says so when it cannot be removed', async () => {
    const lock = await place.take()
    const [owner = ''] = tree(place.path)
    rmSync(join(place.path, owner))
    mkdirSync(join(place.path, owner, 'not empty'), { recursive: true })

    expect(await lock.release()).toBe(false)
  })
})

/** As a process would that thinks its owner dead. */
function takeAway(path: string): void {
  rmSync(path, { recursive: true })
}

describe('waiting for a lock', () => {
  it('ends with what others have settled', async () => {
    const lock = await place.take()
    let asked = 0
    const acquired = await acquireLock(place.path, { settled: () => (++asked === 3 ? 'done' : undefined) })

    expect(acquired).toEqual({ settled: 'done' })
    await lock.release()
  })

  it('does not ask for what is settled when the lock is free', async () => {
    const acquired = await acquireLock(place.path, { settled: () => 'done' })
    if ('handle' in acquired) await acquired.handle.release()
    expect(Object.keys(acquired)).toEqual(['handle'])
  })

  it('ends at its deadline, saying who holds it since when', async () => {
    plantLock(place.path)
    const start = performance.now()
    const { code, message, nextStep } = await place.refusal({ deadline: 0.3 })
    const waited = performance.now() - start

    expect({ code, message, nextStep }).toEqual({
      code: 'store_busy',
      message: `The lock ${place.path} is held by process ${process.pid} (codex-auth token) since 2023-11-14T22:13:20.000Z.`,
      nextStep: `Try again when process ${process.pid} has ended.`,
    })
    expect(waited).toBeGreaterThanOrEqual(299)
    expect(waited).toBeLessThan(2000)
  })

  it('tells about once a second who is waited for', async () => {
    plantLock(place.path)
    const told: unknown[] = []
    await place.refusal({ deadline: 1.9, onWait: (...args) => told.push(args) })

    const owner = { pid: process.pid, command: 'codex-auth token', since: 1_700_000_000 }
    expect(told).toEqual([[expect.objectContaining(owner), expect.closeTo(1.4, 0)]])
  })

  it("ends with the signal's reason", async () => {
    plantLock(place.path)
    const controller = new AbortController()
    const reason = new Error('stop')
    const settled = (): undefined => {
      controller.abort(reason)
      return undefined
    }

    await expect(acquireLock(place.path, { signal: controller.signal, settled })).rejects.toBe(reason)
    await expect(acquireLock(join(place.folder, 'free.lock'), { signal: controller.signal })).rejects.toBe(
      reason,
    )
    expect(tree(place.folder)).toEqual(['default.lock', expect.any(String)])
  })

  it('gives back a lock that came together with the signal', async () => {
    const controller = new AbortController()
    const acquiring = acquireLock(place.path, { signal: controller.signal })
    controller.abort(new Error('stop'))

    await expect(acquiring).rejects.toThrow('stop')
    expect(tree(place.folder)).toEqual([])
  })

  it('ends with what the question throws', async () => {
    plantLock(place.path)
    await expect(acquireLock(place.path, { settled: unreadable })).rejects.toThrow('unreadable')
  })
})

describe('the lock of another process', () => {
  it('is waited for while it runs', async () => {
    const other = await holder()
    const acquiring = place.take({ deadline: 30 })
    other.order('release')
    await other.tells('released')
    await (await acquiring).release()

    expect(await other.ended).toEqual({ code: 0, signal: null })
    expect(tree(place.folder)).toEqual([])
  })

  it('is taken within a second of its death', async () => {
    const other = await holder()
    const acquiring = place.take({ deadline: 30 })
    other.signal('SIGKILL')
    await other.ended
    const start = performance.now()
    const lock = await acquiring

    expect(performance.now() - start).toBeLessThan(1000)
    expect(lock.previous).toBe(undefined)
    await lock.release()
    expect(tree(place.folder)).toEqual([])
  })

  it.each(['killed', 'at its own end'])(
    'tells the next one, once, what it was spending when it died, %s',
    async (how) => {
      const other = await holder()
      other.order('spend')
      await other.tells('spent')
      if (how === 'killed') other.signal('SIGKILL')
      else other.order('exit')
      await other.ended

      const next = await place.take()
      expect(next.previous).toEqual({
        token: 'hash',
        at: expect.closeTo(Date.now() / 1000, -1),
        pid: other.pid,
      })
      await next.release()
      const last = await place.take()
      expect(last.previous).toBe(undefined)
      await last.release()
      expect(tree(place.folder)).toEqual([])
    },
  )

  it('tells of the last one, when several died one after the other', async () => {
    const pids: number[] = []
    for (let n = 0; n < 2; n++) {
      const other = await holder()
      other.order('spend')
      await other.tells('spent')
      other.signal('SIGKILL')
      await other.ended
      pids.push(other.pid)
    }
    const lock = await place.take()
    await lock.release()

    expect(lock.previous?.pid).toBe(pids[1])
    expect(tree(place.folder)).toEqual([])
  })

  it('is gone with a process that ends without having spent anything', async () => {
    const other = await holder()
    other.order('exit')
    await other.ended

    expect(tree(place.folder)).toEqual([])
  })

  it('is kept by a stopped process, which can still release it', async () => {
    const other = await holder()
    other.signal('SIGSTOP')
    await other.halted()
    const { code, message, nextStep } = await place.refusal({ deadline: 0.2 })
    other.signal('SIGCONT')
    other.order('release')
    await other.tells('released')

    expect({ code, message, nextStep }).toEqual({
      code: 'store_busy',
      message: expect.stringMatching(/ is held by process \d+ \(child\.mjs\) since \S+, and is stopped\.$/),
      nextStep: `kill -CONT ${other.pid}    # lets it go on`,
    })
    expect(tree(place.folder)).toEqual([])
  })
})

function unreadable(): never {
  throw new Error('unreadable')
}

async function holder(): Promise<LockProcess> {
  const process = program.start({ kind: 'hold', path: place.path })
  await process.tells('held')
  return process
}

/** Seconds since the last heartbeat. */
function ageOf(path: string): number {
  return (Date.now() - statSync(path).mtimeMs) / 1000
}
