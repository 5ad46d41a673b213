import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { codexAuth, codexFolder, withoutToken } from '../support/codex-auth.ts'
import { idleCodex } from '../support/codex-process.ts'
import { freshSecret } from '../support/credentials.ts'
import { startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

const MINUTE = 60
const DAY = 24 * 60 * MINUTE

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

/** A login that is this many seconds old, with an access token that tells its end, or one that does not. */
function authOf(age: number, opaque: boolean): { readonly text: string; readonly refreshToken: string } {
  const { refreshToken, ...login } = issuer.issueLogin({ accessTokenLifetime: opaque ? 60 * MINUTE : age })
  const last_refresh = new Date(Date.now() - age * 1000).toISOString()
  const tokens = opaque ? { access_token: freshSecret('access_token') } : {}
  return { text: codexAuth({ ...login, refreshToken }, { last_refresh }, tokens), refreshToken }
}

test.runIf(process.platform === 'linux').each([
  ['ends soon', 4 * MINUTE, false],
  ['has ended', -4 * MINUTE, false],
  ['tells no end, and is eight days old', 8 * DAY, true],
])('while Codex runs and its token %s, an import waits for one of them', async (_what, age, opaque) => {
  const { text, refreshToken } = authOf(age, opaque)
  const { folder, path } = codexFolder(text)
  const codex = await idleCodex({ CODEX_HOME: folder })
  const importing = home.start('import codex', { terminal: true, env: { CODEX_HOME: folder } })
  await importing.says(new RegExp(`^Waiting for codex, pid ${codex.pid}, \\(0 s\\) …\n$`))
  expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, text])
  await codex.end()
  expect((await importing.ended).exitCode).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, refreshToken))
})

test.runIf(process.platform === 'linux').each([
  ['lives', 6 * MINUTE, false],
  ['tells no end, and is seven days old', 7 * DAY, true],
])('while Codex runs and its token %s, an import does not wait', async (_what, age, opaque) => {
  const { text, refreshToken } = authOf(age, opaque)
  const { folder, path } = codexFolder(text)
  await idleCodex({ CODEX_HOME: folder })
  const { exitCode, stderr } = await home.run('import codex', { terminal: true, env: { CODEX_HOME: folder } })
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('Waiting')])
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, refreshToken))
})
