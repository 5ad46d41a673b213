import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { here, sight } from '../../../src/adapters/store/lock-process.ts'
import { signInMarkers } from '../../../src/adapters/store/sign-in-marker.ts'
import type { Announcement, OtherSignIn } from '../../../src/core/ports.ts'
import { refusing } from '../../support/file-operations.ts'
import { buildStoreProgram, type StoreProcess, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { described, thrown } from '../../support/thrown.ts'

/** What the clock shows in the processes that sign in, in whole seconds. */
const SINCE = 1_790_000_000

const TAKEN_OVER = 'Another sign-in was started and took the place of this one.'

let root: string
let path: string

beforeEach(() => {
  root = temporaryFolder()
  path = join(root, 'profiles', 'work.login')
})

const begun: Announcement[] = []

afterEach(() => {
  for (const announcement of begun.splice(0)) announcement.end()
})

function markers() {
  return signInMarkers(root, () => SINCE + 0.75)
}

/** Announces a sign-in of this process, until the test is over. */
function begin(profile = 'work', port: number | undefined = 1455): Announcement {
  const announcement = markers().begin(profile, 'browser', port)
  begun.push(announcement)
  return announcement
}

/** A marker as it is written here, with changes. */
function plant(changes: object): void {
  begin()
  const whole = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...whole, ...changes }))
}

describe('a sign-in that waits', { timeout: 30_000 }, () => {
  let program: StoreProgram

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  async function signIn(profile = 'work', port: number | undefined = 1455): Promise<StoreProcess> {
    const waiting = await program.start()
    await waiting.ask({ kind: 'sign in', root, profile, port })
    return waiting
  }

  test('is seen by every other process while it lives', async () => {
    const [waiting, other] = await Promise.all([signIn(), program.start()])
    const seen = { pid: waiting.pid, since: SINCE, method: 'browser' }
    expect(markers().current('work')).toEqual(seen)
    expect(await other.ask({ kind: 'sign-in now', root, profile: 'work' })).toEqual({ result: seen })
    expect(markers().current('home')).toBeUndefined()
  })

  test('is over when it says so, and leaves nothing behind', async () => {
    const waiting = await signIn()
    await waiting.ask({ kind: 'end of sign in' })
    expect([markers().current('work'), readdirSync(join(root, 'profiles'))]).toEqual([undefined, []])
  })

  test('is over when its process was killed', async () => {
    const waiting = await signIn()
    await waiting.kill()
    expect([markers().current('work'), readdirSync(join(root, 'profiles'))]).toEqual([
      undefined,
      ['work.login'],
    ])
  })

  test('is announced over one whose process was killed', async () => {
    const [killed, waiting] = [await signIn(), await program.start()]
    await killed.kill()
    await waiting.ask({ kind: 'sign in', root, profile: 'work', port: undefined })
    expect(markers().current('work')?.pid).toBe(waiting.pid)
  })

  test('stays announced when an earlier one ends', async () => {
    const earlier = await signIn()
    const later = await signIn()
    await earlier.ask({ kind: 'end of sign in' })
    expect(markers().current('work')?.pid).toBe(later.pid)
    await later.ask({ kind: 'end of sign in' })
    expect(markers().current('work')).toBeUndefined()
  })

  test('is not mistaken for a later process with the same number', async () => {
    const waiting = await signIn()
    const { start } = sight(waiting.pid)
    plant({ pid: waiting.pid, start })
    expect(markers().current('work')?.pid).toBe(waiting.pid)
    plant({ pid: waiting.pid, start: `${Number(start) - 1}` })
    expect(markers().current('work')).toBeUndefined()
  })

  test('ends when another process takes it over, and is known to be there until it has ended', async () => {
    const waiting = await signIn()
    const ours = markers()
    expect(ours.takeOver(({ profile }) => profile === 'work')).toBe(true)
    expect([ours.current('work'), readdirSync(join(root, 'profiles'))]).toEqual([undefined, []])
    expect(await waiting.ask({ kind: 'taken over' })).toEqual({ result: TAKEN_OVER })
    expect(ours.takeOver(() => false)).toBe(true)
    await waiting.kill()
    expect(ours.takeOver(() => false)).toBe(false)
  })

  test('ends when another process announces one for the same profile', async () => {
    const earlier = await signIn()
    const later = await signIn()
    expect(await earlier.ask({ kind: 'taken over' })).toEqual({ result: TAKEN_OVER })
    expect(markers().current('work')?.pid).toBe(later.pid)
  })

  test('is taken over for its profile or its port, and goes on for any other', async () => {
    const [work, home] = [await signIn('work', 1455), await signIn('home', 1457)]
    const seen: Partial<OtherSignIn>[] = []
    const mine = markers().takeOver(({ pid, since, method, profile, port }) => {
      seen.push({ pid, since, method, profile, port })
      return port === 1457
    })
    expect(seen).toEqual([
      { pid: home.pid, since: SINCE, method: 'browser', profile: 'home', port: 1457 },
      { pid: work.pid, since: SINCE, method: 'browser', profile: 'work', port: 1455 },
    ])
    expect(mine).toBe(true)
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })

  test('whose process was killed is not taken over', async () => {
    const waiting = await signIn()
    await waiting.kill()
    expect(markers().takeOver(() => true)).toBe(false)
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })
})

/** What a person is told who waited for half a second. `undefined`: nothing, the sign-in goes on. */
function reasonAfterHalfASecond({ takenOver }: Announcement) {
  vi.advanceTimersByTime(500)
  return takenOver.aborted ? described(takenOver.reason) : undefined
}

describe('a sign-in that is taken over', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  const LOST = { code: 'taken_over', exitCode: 8, message: TAKEN_OVER, nextStep: 'finish the other sign-in' }

  test('says so, and leaves the marker of the later one', () => {
    const [earlier, later] = [begin(), begin()]
    expect([reasonAfterHalfASecond(earlier), reasonAfterHalfASecond(later)]).toEqual([LOST, undefined])
    earlier.end()
    expect(markers().current('work')?.pid).toBe(process.pid)
    later.end()
    expect(markers().current('work')).toBeUndefined()
  })

  test('says so when its marker was removed', () => {
    const announcement = begin()
    rmSync(path)
    expect(reasonAfterHalfASecond(announcement)).toEqual(LOST)
  })

  test('is none while nobody has touched its marker', () => {
    expect(reasonAfterHalfASecond(begin())).toBeUndefined()
  })

  test.each([
    ['cannot be read', () => chmodSync(path, 0o644)],
    ['was damaged', () => writeFileSync(path, '{')],
  ])('is none because its marker %s', (_what, happen) => {
    const announcement = begin()
    happen()
    expect(reasonAfterHalfASecond(announcement)).toBeUndefined()
  })

  test('is none once it has ended by itself', () => {
    const announcement = begin()
    announcement.end()
    expect(reasonAfterHalfASecond(announcement)).toBeUndefined()
  })
})

describe('taking over', () => {
  test('is nothing where nobody ever signed in', () => {
    expect([markers().takeOver(() => true), readdirSync(root)]).toEqual([false, []])
  })

  test('does not reach into another container, nor to a file that is no marker', () => {
    plant({ place: { ...here(), namespaces: 'pid:[1] time:[1]' } })
    writeFileSync(join(root, 'profiles', 'home.login'), '{}', { mode: 0o600 })
    writeFileSync(join(root, 'profiles', '.hidden.login'), readFileSync(path), { mode: 0o600 })
    expect(markers().takeOver(() => true)).toBe(false)
    expect(readdirSync(join(root, 'profiles'))).toEqual(['.hidden.login', 'home.login', 'work.login'])
  })

  test('does not fail on a disk that does', () => {
    begin()
    expect(refusing(root, 'rmSync', 'EROFS', () => markers().takeOver(() => true))).toBe(true)
  })
})

describe('a marker', () => {
  test('says who waits since when and where, to its owner alone', () => {
    begin()
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      pid: process.pid,
      since: SINCE,
      method: 'browser',
      port: 1455,
      start: sight(process.pid).start,
      place: here(),
    })
    expect([statSync(path).mode & 0o777, statSync(join(root, 'profiles')).mode & 0o777]).toEqual([
      0o600, 0o700,
    ])
  })

  test('of a process whose start the system did not tell is believed', () => {
    plant({ start: undefined })
    expect(markers().current('work')).toEqual({ pid: process.pid, since: SINCE, method: 'browser' })
  })

  test.each([
    ['another start of the system', { boot: 'ffffffff-0000-0000-0000-000000000000' }],
    ['another container', { namespaces: 'pid:[1] time:[1]' }],
    ['a system that does not tell', { boot: undefined }],
  ])('from %s tells of nothing', (_what, place) => {
    plant({ place: { ...here(), ...place } })
    expect(markers().current('work')).toBeUndefined()
  })

  test.each([
    ...[undefined, null, '1', 0, -1, 1.5, 2 ** 31, 2 ** 53].map((pid) => ({ pid })),
    ...[undefined, null, '1', -1, 1e12, 1e300].map((since) => ({ since })),
    ...[undefined, null, 'device', 1].map((method) => ({ method })),
    ...[null, '1455', 0, 65_536, 1.5].map((port) => ({ port })),
    ...[undefined, null, 1].map((id) => ({ id })),
    ...[undefined, null, 'here', 1, []].map((place) => ({ place })),
  ])('that was damaged tells of nothing: %j', (changes) => {
    plant(changes)
    expect(markers().current('work')).toBeUndefined()
  })

  test.each(['', ' ', '{', 'null', '5', '"text"', '[]', '{}', '\0\0', '{"place":{}}', ' '.repeat(5000)])(
    'that is %j tells of nothing',
    (content) => {
      begin()
      writeFileSync(path, content)
      expect(markers().current('work')).toBeUndefined()
    },
  )

  test('that others could have written tells of nothing', () => {
    begin()
    chmodSync(path, 0o666)
    expect(markers().current('work')).toBeUndefined()
  })

  test('that is no file tells of nothing', () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    expect(markers().current('work')).toBeUndefined()
    begin('home')
    symlinkSync(join(root, 'profiles', 'home.login'), join(root, 'profiles', 'other.login'))
    expect(markers().current('other')).toBeUndefined()
  })

  test('that is not there tells of nothing', () => {
    expect([markers().current('work'), readdirSync(root)]).toEqual([undefined, []])
  })
})

describe('the end of a sign-in', () => {
  test('may be said twice', () => {
    const announcement = begin()
    announcement.end()
    announcement.end()
    expect(readdirSync(join(root, 'profiles'))).toEqual([])
  })

  test('does not fail on a disk that does', () => {
    const announcement = begin()
    refusing(root, 'rmSync', 'EROFS', () => announcement.end())
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })

  test('does not fail when something else lies there by now', () => {
    const announcement = begin()
    chmodSync(path, 0o644)
    announcement.end()
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })
})

test('a sign-in that cannot be announced fails', () => {
  mkdirSync(path, { recursive: true })
  expect(thrown(() => begin())).toEqual({
    code: 'store_unwritable',
    exitCode: 7,
    message: `${path} cannot be written: EISDIR.`,
    nextStep: 'free the disk or mend the permissions, and try again',
  })
})
