import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { interfering } from '../../faults/strace.ts'
import { PROGRAM } from '../support/cli.ts'
import { codexAuth, CODEX_FILES, refreshTokenIn } from '../support/codex-auth-file.ts'
import { codexFolder } from '../support/codex-auth.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer, type IssuedLogin } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

let issuer: FakeIssuer

beforeEach(async () => {
  issuer = await startFakeIssuer()
})

afterEach(() => issuer.close())

/** Where a login is while two programs hand it over. */
interface Place {
  readonly home: Home
  readonly folder: string
  readonly path: string
  readonly login: IssuedLogin
}

function newHome(): Home {
  const home = temporaryHome()
  onTestFinished(() => home.remove(issuer.secrets))
  return home
}

/** Runs the program and ends it right before its nth call of this kind. `false`: it had ended before. */
function killedAt(words: readonly string[], syscall: string, nth: number, { home, folder }: Place): boolean {
  const { PATH, HOME, TMPDIR } = process.env
  const log = join(temporaryFolder(), 'log')
  const [strace = '', ...args] = interfering(log, syscall, nth, 'signal=SIGKILL')
  const { signal, status, stderr } = spawnSync(strace, [...args, process.execPath, PROGRAM, ...words], {
    env: { PATH, HOME, TMPDIR, CODEX_AUTH_HOME: home.path, CODEX_HOME: folder },
    encoding: 'utf8',
  })
  if (signal === 'SIGKILL') return true
  expect([status, stderr]).toEqual([0, expect.any(String)])
  return false
}

/** Which of the two have the refresh token. */
function ownersOf({ home, path, login }: Place): string[] {
  const here = home.kept()?.refreshToken === login.refreshToken
  const there = refreshTokenIn(path) === login.refreshToken
  return [...(here ? ['profile'] : []), ...(there ? ['Codex'] : [])]
}

/** @returns how often it was killed: once at each call of this kind that it makes. */
async function atEachCall(
  command: 'import' | 'export',
  syscall: string,
  begin: () => Promise<Place>,
): Promise<number> {
  const end = command === 'import' ? 'profile' : 'Codex'
  for (let nth = 1; ; nth++) {
    const place = await begin()
    const wasKilled = killedAt([command, 'codex'], syscall, nth, place)
    const owners = ownersOf(place)
    expect(owners.length, `owners after a kill at ${syscall} ${nth}`).toBeGreaterThan(0)
    const again = await place.home.run([command, 'codex'], { env: { CODEX_HOME: place.folder } })
    // An export that had done everything finds an empty profile.
    const exitCode = command === 'import' || owners.includes('profile') ? 0 : 4
    expect([again.exitCode, ownersOf(place)], `again after ${syscall} ${nth}`).toEqual([exitCode, [end]])
    expect(readdirSync(place.folder), `files after ${syscall} ${nth}`).toEqual(CODEX_FILES)
    if (!wasKilled) return nth - 1
  }
}

async function loginOfCodex(): Promise<Place> {
  const login = issuer.issueLogin()
  return { home: newHome(), login, ...codexFolder(codexAuth(login)) }
}

async function loginInProfile(): Promise<Place> {
  const [home, login] = [newHome(), issuer.issueLogin()]
  await home.keep(credentialOf(login))
  return { home, login, ...codexFolder('{}') }
}

test.each(['rename', 'fsync'])(
  'an import that is killed before any %s loses nothing, and the next one finishes it',
  async (syscall) => {
    expect(await atEachCall('import', syscall, loginOfCodex)).toBeGreaterThan(0)
  },
)

test('after an export that was killed with the login in both, what is renewed here stays when Codex has its copy imported', async () => {
  const { home, path, folder } = await killedWithTheLoginInBoth()
  const env = { CODEX_HOME: folder }
  expect((await home.run(['refresh'], { env })).exitCode).toBe(0)
  const renewed = home.kept()?.refreshToken
  expect((await home.run(['import', 'codex'], { env })).exitCode).toBe(0)
  const stays = home.kept()?.refreshToken === renewed && issuer.accepts(renewed ?? '')
  expect({ stays, codex: refreshTokenIn(path), spentTwice: issuer.spentTwice }).toEqual({
    stays: true,
    codex: '',
    spentTwice: 0,
  })
})

/** Before that moment Codex's file has nothing of the login, and after it the profile has not. */
async function killedWithTheLoginInBoth(): Promise<Place> {
  for (let nth = 1; ; nth++) {
    const place = await loginInProfile()
    const wasKilled = killedAt(['export', 'codex'], 'unlink', nth, place)
    if (ownersOf(place).length === 2) return place
    if (!wasKilled) throw new Error('it was never killed with the login in both')
  }
}

test.each(['rename', 'unlink'])(
  'an export that is killed before any %s loses nothing, and the next one finishes it',
  async (syscall) => {
    expect(await atEachCall('export', syscall, loginInProfile)).toBeGreaterThan(0)
  },
)
