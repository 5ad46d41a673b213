import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { codexAuth, codexFolder, withoutToken } from '../support/codex-auth.ts'
import { lockHolder } from '../support/codex-lock.ts'
import { failedInWords } from '../support/expected-output.ts'
import { startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Ended, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

function run(words: string, folder: string): Promise<Ended> {
  return home.run(words, { env: { CODEX_HOME: folder } })
}

test('a file that Codex is changing is read once it is whole', async () => {
  const login = issuer.issueLogin()
  const { folder, path } = codexFolder('')
  const ended = run('import codex --quiet', folder)
  setTimeout(() => writeFileSync(path, codexAuth(login)), 300)
  expect(await ended).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(home.kept()?.refreshToken).toBe(login.refreshToken)
})

test('a file that Codex is changing is taken when Codex is done with it, in the state it has then', async () => {
  const { folder, path } = codexFolder(codexAuth(issuer.issueLogin()))
  const codex = await lockHolder(join(folder, 'auth.lock'))
  const ended = run('import codex --quiet', folder)
  const newer = issuer.issueLogin()
  writeFileSync(path, codexAuth(newer))
  codex.release()
  expect((await ended).exitCode).toBe(0)
  expect(home.kept()?.refreshToken).toBe(newer.refreshToken)
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(codexAuth(newer), newer.refreshToken))
})

test('a file that Codex is changing is looked at again when a release that knows no lock has changed it', async () => {
  const login = issuer.issueLogin()
  const { folder, path } = codexFolder(codexAuth(login))
  const inTheWay = await lockHolder(`${path}.lock`)
  const ended = run('import codex --quiet', folder)
  await expect.poll(() => home.kept()?.refreshToken).toBe(login.refreshToken)
  const newer = issuer.issueLogin()
  writeFileSync(path, codexAuth(newer))
  inTheWay.release()
  expect((await ended).exitCode).toBe(0)
  expect(home.kept()?.refreshToken).toBe(newer.refreshToken)
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(codexAuth(newer), newer.refreshToken))
})

test('a file still has the login when it cannot be replaced, and the next import finishes the move', async () => {
  const login = issuer.issueLogin()
  const { folder, path } = codexFolder(codexAuth(login))
  mkdirSync(`${path}.lock`)
  expect((await run('import codex', folder)).exitCode).toBe(7)
  expect([home.kept()?.refreshToken, readFileSync(path, 'utf8')]).toEqual([
    login.refreshToken,
    codexAuth(login),
  ])
  rmdirSync(`${path}.lock`)
  expect((await run('import codex', folder)).exitCode).toBe(0)
  expect(home.kept()?.refreshToken).toBe(login.refreshToken)
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(codexAuth(login), login.refreshToken))
})

test('a file that Codex is changing is left alone when its lock is not had in time', async () => {
  const login = issuer.issueLogin()
  const { folder, path } = codexFolder(codexAuth(login))
  const lock = join(folder, 'auth.lock')
  await lockHolder(lock)
  await run('config set lock_wait 1', folder)
  expect(await run('import codex', folder)).toEqual(
    failedInWords({
      exit_code: 7,
      message: `Codex is changing its login, and holds ${lock}.`,
      next_step: 'wait for Codex, or end it, and try again',
    }),
  )
  expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, codexAuth(login)])
})
