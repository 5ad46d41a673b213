import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { here, sight } from '../../../src/adapters/store/lock-process.ts'
import { signInMarkers } from '../../../src/adapters/store/sign-in-marker.ts'
import { refusing } from '../../support/file-operations.ts'
import { buildStoreProgram, type StoreProcess, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { thrown } from '../../support/thrown.ts'

/** What the clock shows in the processes that sign in, in whole seconds. */
const SINCE = 1_790_000_000

let root: string
let path: string

beforeEach(() => {
  root = temporaryFolder()
  path = join(root, 'profiles', 'work.login')
})

function markers() {
  return signInMarkers(root, () => SINCE + 0.75)
}

/** A marker as it is written here, with changes. */
function plant(changes: object): void {
  markers().begin('work', 'browser')
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

  async function signIn(): Promise<StoreProcess> {
    const waiting = await program.start()
    await waiting.ask({ kind: 'sign in', root, profile: 'work' })
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
    await waiting.ask({ kind: 'sign in', root, profile: 'work' })
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
})

describe('a marker', () => {
  test('says who waits since when and where, to its owner alone', () => {
    markers().begin('work', 'browser')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      pid: process.pid,
      since: SINCE,
      method: 'browser',
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
    ...[undefined, null, 'here', 1, []].map((place) => ({ place })),
  ])('that was damaged tells of nothing: %j', (changes) => {
    plant(changes)
    expect(markers().current('work')).toBeUndefined()
  })

  test.each(['', ' ', '{', 'null', '5', '"text"', '[]', '{}', '\0\0', '{"place":{}}', ' '.repeat(5000)])(
    'that is %j tells of nothing',
    (content) => {
      markers().begin('work', 'browser')
      writeFileSync(path, content)
      expect(markers().current('work')).toBeUndefined()
    },
  )

  test('that others could have written tells of nothing', () => {
    markers().begin('work', 'browser')
    chmodSync(path, 0o666)
    expect(markers().current('work')).toBeUndefined()
  })

  test('that is no file tells of nothing', () => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    expect(markers().current('work')).toBeUndefined()
    markers().begin('home', 'browser')
    symlinkSync(join(root, 'profiles', 'home.login'), join(root, 'profiles', 'other.login'))
    expect(markers().current('other')).toBeUndefined()
  })

  test('that is not there tells of nothing', () => {
    expect([markers().current('work'), readdirSync(root)]).toEqual([undefined, []])
  })
})

describe('the end of a sign-in', () => {
  test('may be said twice', () => {
    const end = markers().begin('work', 'browser')
    end()
    end()
    expect(readdirSync(join(root, 'profiles'))).toEqual([])
  })

  test('does not fail on a disk that does', () => {
    const end = markers().begin('work', 'browser')
    refusing(root, 'rmSync', 'EROFS', end)
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })

  test('does not fail when something else lies there by now', () => {
    const end = markers().begin('work', 'browser')
    chmodSync(path, 0o644)
    end()
    expect(readdirSync(join(root, 'profiles'))).toEqual(['work.login'])
  })
})

test('a sign-in that cannot be announced fails', () => {
  mkdirSync(path, { recursive: true })
  expect(thrown(() => markers().begin('work', 'browser'))).toEqual({
    code: 'store_unwritable',
    exitCode: 7,
    message: `${path} cannot be written: EISDIR.`,
    nextStep: 'free the disk or mend the permissions, and try again',
  })
})
