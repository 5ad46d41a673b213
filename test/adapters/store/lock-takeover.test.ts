import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { watchHeartbeat } from '../../../src/adapters/store/lock-attempt.ts'
import { here } from '../../../src/adapters/store/lock-process.ts'
import { AuthError } from '../../../src/errors.ts'
import { lockPlace } from '../../support/lock-place.ts'
import { deadPid, plantLock, setAge, tree, type Planted } from '../../support/lock-records.ts'

// Hundreds of damaged records take a while on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

const place = lockPlace()

/** Whether a single attempt takes what lies there. Nothing of that may be left when the lock is released. */
async function isTaken(patience = 0): Promise<boolean> {
  const lock = await place.take({ patience }).catch((error: unknown) => {
    if (error instanceof AuthError && error.code === 'store_busy') return undefined
    throw error
  })
  if (lock === undefined) return false
  await lock.release()
  if (tree(place.folder).length > 0) throw new Error(`left behind: ${tree(place.folder).join(', ')}`)
  return true
}

const HOUR = 3600

describe('the lock of an owner in sight', () => {
  it.each<[string, Planted, boolean]>([
    ['lives, and its heartbeat is fresh: it is kept', {}, false],
    ['lives, and its heartbeat is old: it is kept', { age: HOUR }, false],
    ['lives, and its heartbeat is ahead of time: it is kept', { age: -HOUR }, false],
    ['is dead: it is taken', { owner: { pid: deadPid() } }, true],
    [
      'is dead, and its heartbeat is ahead of time: it is taken',
      { owner: { pid: deadPid() }, age: -HOUR },
      true,
    ],
    ['had a number that is another process by now: it is taken', { owner: { start: '1' } }, true],
  ])('%s', async (_, planted, taken) => {
    plantLock(place.path, planted)
    expect(await isTaken()).toBe(taken)
  })
})

describe.each<[string, Planted['owner']]>([
  ['on another machine', { host: 'elsewhere', machine: '0123456789abcdef', boot: 'another' }],
  ['in another pid namespace', { namespaces: 'pid:[1] time:[1]' }],
  ['of unknown namespaces', { namespaces: undefined, pid: deadPid() }],
  ['of an unknown boot', { boot: undefined, pid: deadPid() }],
  ['that started at an unknown time', { start: undefined }],
])('the lock of an owner %s', (_, owner = {}) => {
  it.each([
    ['is kept while its heartbeat is fresh', 0, false],
    ['is kept while its heartbeat is less than 45 seconds old', 30, false],
    ['is kept while its heartbeat is a little ahead of time', -1, false],
    ['is taken when its heartbeat is older', 60, true],
    ['is taken when its heartbeat is far ahead of time', -60, true],
  ])('%s', async (__, age, taken) => {
    plantLock(place.path, { owner, age })
    expect(await isTaken()).toBe(taken)
  })
})

describe('an old heartbeat of an owner out of sight', () => {
  const owner = { namespaces: 'pid:[1]' }

  it('is watched for a while before the lock is taken', async () => {
    plantLock(place.path, { owner, age: HOUR })
    expect(await isTaken(0.5)).toBe(false)

    const start = performance.now()
    await (await place.take({ deadline: 10, patience: 0.5 })).release()
    expect(performance.now() - start).toBeGreaterThan(500)
  })

  it('is not taken for silence when it goes on meanwhile, as after a sleep of the machine', async () => {
    plantLock(place.path, { owner, age: HOUR })
    let age = HOUR
    const beat = (): undefined => {
      age -= 1
      setAge(place.path, age)
      return undefined
    }
    const { code } = await place.refusal({ deadline: 1.5, patience: 0.6, settled: beat })

    expect(code).toBe('store_busy')
  })

  it('is not called silent for the time in which nobody looked', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const isSilent = watchHeartbeat(5)
    const lookAfter = (milliseconds: number): boolean => {
      vi.advanceTimersByTime(milliseconds)
      return isSilent({ id: 'the same', at: Date.now() - 1000 * HOUR })
    }
    const looks = [0, 60_000, 60_000, ...Array.from({ length: 44 }, () => 100), 100].map(lookAfter)
    vi.useRealTimers()

    expect(looks.indexOf(true)).toBe(47)
  })

  it('is said to be out of sight', async () => {
    plantLock(place.path, { owner: { ...owner, host: 'elsewhere' } })
    const { message, nextStep } = await place.refusal()

    expect({ message, nextStep }).toEqual({
      message: `The lock ${place.path} is held by process ${process.pid} (codex-auth token) since 2023-11-14T22:13:20.000Z on elsewhere, out of sight.`,
      nextStep: 'Try again in a minute; if it has ended, its lock is free by then.',
    })
  })
})

describe('the lock of an owner on this machine before it was started again', () => {
  const owner = { boot: 'the one before', pid: process.pid }

  it.runIf(here().machine)('is taken', async () => {
    plantLock(place.path, { owner, age: uptime() + 5 })
    expect(await isTaken(60)).toBe(true)
  })

  it('is kept if its heartbeat came later, since then it is a copy of this machine', async () => {
    plantLock(place.path, { owner, age: 5 })
    expect(await isTaken()).toBe(false)
  })
})

describe('what is no lock of ours', () => {
  const things: [string, () => void][] = [
    ['an empty folder', () => mkdirSync(place.path)],
    ['a folder with strange files', () => strangeFolder()],
    ['a file', () => writeFileSync(place.path, 'something')],
    ['a link to a folder', () => symlinkSync(place.root, place.path)],
    ['a link to nowhere', () => symlinkSync('nowhere', place.path)],
    ['a FIFO', () => execFileSync('mkfifo', [place.path])],
  ]

  it.each(things)('is kept while it is fresh: %s', async (_, make) => {
    make()
    expect((await place.refusal({ patience: 0 })).message).toBe(
      `The lock ${place.path} is held by another process.`,
    )
  })

  it.each(things)('is taken when it is old: %s', async (_, make) => {
    make()
    lutimesSync(place.path, 1, 1)
    expect(await isTaken()).toBe(true)
  })

  it('is not followed when it is a link', async () => {
    const target = join(place.root, 'target')
    mkdirSync(target)
    writeFileSync(join(target, 'file'), '')
    symlinkSync(target, place.path)
    lutimesSync(place.path, 1, 1)

    expect([await isTaken(), tree(target)]).toEqual([true, ['file']])
  })
})

describe('what killed processes leave', () => {
  it('is taken at once when it is a lock without its owner file', async () => {
    const owner = plantLock(place.path)
    rmSync(join(place.path, owner))
    expect(await isTaken(60)).toBe(true)
  })

  it('is taken at once when something else lies in it as well', async () => {
    rmSync(join(place.path, plantLock(place.path)))
    strangeFolder()
    expect(await isTaken(60)).toBe(true)
  })

  it('is swept by the next holder when it is an old preparation, and kept when it is fresh', async () => {
    const name = `owner-${'0'.repeat(32)}`
    const preparation = join(place.folder, `.default.lock.${name}`)
    mkdirSync(preparation)
    writeFileSync(join(preparation, name), 'half')
    await (await place.take()).release()
    expect(lstatSync(preparation).isDirectory()).toBe(true)

    utimesSync(preparation, 1, 1)
    expect(await isTaken()).toBe(true)
  })

  it('is swept by the next holder when it is the rest of an earlier sweeping', async () => {
    mkdirSync(join(place.folder, `.default.lock.owner-${'0'.repeat(32)}.gone`))
    expect(await isTaken()).toBe(true)
  })

  it('is left alone when it belongs to another profile', async () => {
    const name = `owner-${'0'.repeat(32)}`
    const others = [
      `.default.lock.${name}.lock.${name}`,
      `.default.lock.lock.${name}`,
      `.other.lock.${name}`,
      'default.cred',
    ]
    for (const other of others) {
      mkdirSync(join(place.folder, other))
      utimesSync(join(place.folder, other), 1, 1)
    }
    await (await place.take()).release()

    expect(tree(place.folder)).toEqual(others.toSorted())
  })
})

describe('a damaged record of a living owner', () => {
  const damages: fc.Arbitrary<(file: string) => void> = fc.oneof(
    fc.uint8Array({ maxLength: 1200 }).map((bytes) => (file: string) => writeFileSync(file, bytes)),
    fc.nat(1023).map((length) => (file: string) => truncateSync(file, length)),
    fc.tuple(fc.nat(511), fc.integer({ min: 1, max: 255 })).map(
      ([at, by]) =>
        (file: string) =>
          change(file, at, by),
    ),
    fc.constant((file: string) => writeFileSync(file, Buffer.alloc(1 << 20, ' '))),
    fc.constant(replacing((file) => execFileSync('mkfifo', [file]))),
    fc.constant(replacing((file) => mkdirSync(join(file, 'folder'), { recursive: true }))),
    fc.constant(replacing((file) => symlinkSync('/dev/zero', file))),
    fc.constant((file: string) => {
      renameSync(file, join(place.root, 'elsewhere'))
      symlinkSync(join(place.root, 'elsewhere'), file)
    }),
  )

  it('leaves it to the heartbeat, and never fails otherwise or hangs', async () => {
    await fc.assert(
      fc.asyncProperty(damages, async (damage) => {
        damage(join(place.path, plantLock(place.path)))
        setAge(place.path, 0)
        const fresh = await isTaken()
        setAge(place.path, HOUR)
        expect([fresh, await isTaken()]).toEqual([false, true])
      }),
      { numRuns: 300 },
    )
  })

  it('still tells who holds it when only the second half is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 512, maxLength: 512 }), async (bytes) => {
        const file = join(place.path, plantLock(place.path, { age: HOUR }))
        writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, 512), bytes]))
        expect((await place.refusal({ patience: 0 })).message).toContain(
          `process ${process.pid} (codex-auth token)`,
        )
        rmSync(place.path, { recursive: true })
      }),
      { numRuns: 100 },
    )
  })
})

function change(file: string, at: number, by: number): void {
  const bytes = readFileSync(file)
  bytes[at] = ((bytes[at] ?? 0) + by) % 256
  writeFileSync(file, bytes)
}

function replacing(put: (file: string) => void): (file: string) => void {
  return (file) => {
    rmSync(file)
    put(file)
  }
}

function strangeFolder(): void {
  mkdirSync(join(place.path, 'folder', 'in it'), { recursive: true })
  symlinkSync(place.root, join(place.path, 'link'))
  writeFileSync(join(place.path, 'owner-of-another-version'), '{}')
}
