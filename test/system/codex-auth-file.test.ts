import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { takeLock } from '../../src/adapters/codex/flock.ts'
import { codexAuth, codexFolder, withoutToken } from '../support/codex-auth.ts'
import { startCodexBackend, type CodexBackend } from '../support/codex-backend.ts'
import { codexProgram, runCodex, startCodex, type CodexEnded } from '../support/codex.ts'
import { freshSecret, sampleCredential } from '../support/credentials.ts'
import { credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let backend: CodexBackend
let home: Home

/** Milliseconds. Its installation is large. */
const INSTALLATION = 300_000

beforeAll(codexProgram, INSTALLATION)

beforeEach(async () => {
  issuer = await startFakeIssuer()
  backend = await startCodexBackend('account-1')
  home = temporaryHome()
})

afterEach(async () => {
  // Codex sends an empty refresh token, which is found everywhere.
  home.remove([...issuer.secrets].filter((secret) => secret !== ''))
  await backend.close()
  await issuer.close()
})

const EXEC = ['exec', '--skip-git-repo-check', 'Say hello.']

/** A folder of Codex's own, configured to reach nothing but this machine. */
function codexAt(auth?: string): { readonly folder: string; readonly path: string } {
  const codex = codexFolder(auth)
  backend.configure(codex.folder)
  return codex
}

/** What the real Codex says of its login. */
async function loginStatus(folder: string): Promise<object> {
  const env = { CODEX_AUTHAPI_BASE_URL: backend.origin }
  const { exitCode, stdout, stderr } = await runCodex(['login', 'status'], { codexHome: folder, env })
  return {
    exitCode,
    stdout,
    said: stderr.split('\n').filter((line) => line !== '' && !line.startsWith('WARNING')),
  }
}

/** With which token the real Codex asked the model, each once. */
function askedWith(): object[] {
  const asked = backend.requests.filter(({ path }) => path === '/codex/responses')
  return asked.map(({ authorization, account }) => ({ authorization, account }))
}

async function withLogin(lifetime: number) {
  const login = issuer.issueLogin({ accessTokenLifetime: lifetime })
  await home.keep(credentialOf(login))
  return login
}

function run(words: string, folder: string) {
  return home.run(words, { env: { CODEX_HOME: folder } })
}

describe('after an export, the real Codex', () => {
  test('is signed in, and asks with the token and account of the login', async () => {
    const login = await withLogin(3600)
    const { folder } = codexAt()
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect(await loginStatus(folder)).toEqual({ exitCode: 0, stdout: '', said: ['Logged in using ChatGPT'] })
    const { exitCode, stdout } = await runCodex(EXEC, { codexHome: folder })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'hello\n' })
    expect(askedWith()).toEqual([{ authorization: `Bearer ${login.accessToken}`, account: 'account-1' }])
    expect(issuer.requests).toEqual([])
  })

  test('renews the login where it came from, and keeps its name', async () => {
    await withLogin(-10)
    const { folder, path } = codexAt()
    await run('export codex', folder)
    const { login_owner_id, oauth_provenance } = JSON.parse(readFileSync(path, 'utf8')).tokens
    expect((await runCodex(EXEC, { codexHome: folder })).exitCode).toBe(0)
    expect([issuer.refreshes, issuer.spentTwice]).toEqual([1, 0])
    const { tokens } = JSON.parse(readFileSync(path, 'utf8'))
    expect(tokens).toMatchObject({ login_owner_id, oauth_provenance })
    expect(issuer.accepts(tokens.refresh_token)).toBe(true)
    expect(askedWith()).toEqual([{ authorization: `Bearer ${tokens.access_token}`, account: 'account-1' }])
  })

  test('has an API key', async () => {
    const key = `sk-proj-${freshSecret('api_key')}`
    await home.keep(
      sampleCredential({
        method: 'api_key',
        accessToken: key,
        refreshToken: undefined,
        expiresAt: undefined,
      }),
    )
    const { folder } = codexAt()
    await run('export codex', folder)
    expect(await loginStatus(folder)).toEqual({
      exitCode: 0,
      stdout: '',
      said: [
        `API key configured - ${key.slice(0, 8)}***${key.slice(-5)}`,
        'Authentication is checked when you send a request.',
      ],
    })
  })

  test('has a personal access token', async () => {
    const token = `at-${freshSecret('access_token')}`
    await home.keep(
      sampleCredential({
        method: 'access_token',
        accessToken: token,
        refreshToken: undefined,
        expiresAt: undefined,
      }),
    )
    const { folder } = codexAt()
    await run('export codex', folder)
    expect(await loginStatus(folder)).toEqual({
      exitCode: 0,
      stdout: '',
      said: ['Logged in using personal access token'],
    })
  })
})

describe('after an import, the real Codex', () => {
  test('works while its access token lives, although we have renewed the login', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexAt(codexAuth(login))
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect((await run('refresh', folder)).exitCode).toBe(0)
    expect(await loginStatus(folder)).toEqual({ exitCode: 0, stdout: '', said: ['Logged in using ChatGPT'] })
    expect((await runCodex(EXEC, { codexHome: folder })).exitCode).toBe(0)
    expect(askedWith()).toEqual([{ authorization: `Bearer ${login.accessToken}`, account: 'account-1' }])
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(codexAuth(login), login.refreshToken))
    expect([issuer.refreshes, issuer.spentTwice]).toEqual([1, 0])
  })

  test('asks to sign in again when it has ended, and ends nobody else’s login', async () => {
    const login = issuer.issueLogin({ accessTokenLifetime: -10 })
    const { folder } = codexAt(codexAuth(login))
    expect((await run('import codex', folder)).exitCode).toBe(0)
    const { stderr } = await runCodex(EXEC, { codexHome: folder })
    expect(stderr).toContain('Your access token could not be refreshed. Please log out and sign in again.')
    const sent = issuer.requests.map(({ parameters }) => parameters?.['refresh_token'])
    expect(new Set(sent)).toEqual(new Set(['']))
    const { exitCode, stdout } = await run('token', folder)
    expect([exitCode, issuer.accepts(stdout.trim()), issuer.spentTwice]).toEqual([0, true, 0])
  })

  test('revokes no more than its access token when it signs out', async () => {
    const login = issuer.issueLogin()
    const { folder } = codexAt(codexAuth(login))
    await run('import codex', folder)
    const env = { CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${issuer.issuer}/oauth/revoke` }
    expect((await runCodex(['logout'], { codexHome: folder, env })).exitCode).toBe(0)
    expect([issuer.accepts(login.accessToken), issuer.accepts(login.refreshToken)]).toEqual([false, true])
    expect((await run('refresh', folder)).exitCode).toBe(0)
  })

  test('takes the login back when it is exported', async () => {
    const login = issuer.issueLogin()
    const { folder } = codexAt(codexAuth(login))
    await run('import codex', folder)
    await run('refresh', folder)
    const renewed = home.kept()?.accessToken
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect((await runCodex(EXEC, { codexHome: folder })).exitCode).toBe(0)
    expect(askedWith()).toEqual([{ authorization: `Bearer ${renewed}`, account: 'account-1' }])
  })
})

test('an import waits while the real Codex renews its login, and takes the new one', async () => {
  const login = issuer.issueLogin({ accessTokenLifetime: 120 })
  const { folder, path } = codexAt(codexAuth(login))
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const codex = await startCodex(EXEC, { codexHome: folder })
  await held.arrived
  const importing = home.start('import codex', { terminal: true, env: { CODEX_HOME: folder } })
  await importing.says(/^Waiting for codex, pid \d+, \(0 s\) …\n/)
  expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, codexAuth(login)])
  held.release()
  expect((await importing.ended).exitCode).toBe(0)
  expect((await codex.ended).exitCode).toBe(0)
  const kept = home.kept()?.refreshToken ?? ''
  expect([kept === login.refreshToken, issuer.accepts(kept), issuer.spentTwice]).toEqual([false, true, 0])
  expect(JSON.parse(readFileSync(path, 'utf8')).tokens.refresh_token).toBe('')
})

test('an import gives up on a Codex that runs on and renews nothing, and changes nothing', async () => {
  const login = issuer.issueLogin({ accessTokenLifetime: 120 })
  const { folder, path } = codexAt(codexAuth(login))
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const codex = await startCodex(EXEC, { codexHome: folder })
  await held.arrived
  await run('config set lock_wait 1', folder)
  const { exitCode, stderr } = await run('import codex', folder)
  expect({ exitCode, stderr: stderr.replace(/pid \d+/, 'pid N') }).toEqual({
    exitCode: 7,
    stderr:
      'codex-auth: Codex (pid N) is running while its access token ends: it may be renewing its login right now. Nothing was changed.\n' +
      '  Next: end Codex, or use it once so that it renews its login, and try again\n',
  })
  expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, codexAuth(login)])
  held.release()
  expect((await codex.ended).exitCode).toBe(0)
})

/** Whether a process waits for the flock of this file, as the kernel lists it (proc(5)). */
function isAwaited(path: string): boolean {
  const inode = statSync(path).ino
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .some((line) => line.includes('-> FLOCK') && line.includes(`:${inode} `))
}

test('the real Codex waits for the lock that we take, and then goes by what the file holds', async () => {
  const { folder, path } = codexAt(codexAuth(issuer.issueLogin({ accessTokenLifetime: 120 })))
  const lock = join(folder, 'auth.lock')
  const wait = { deadline: Date.now() + 5000, signal: new AbortController().signal }
  const release = await takeLock(lock, 0o666, wait)
  let ended: CodexEnded | undefined
  const codex = await startCodex(EXEC, { codexHome: folder })
  const end = codex.ended.then((it) => (ended = it))
  await expect.poll(() => isAwaited(lock), { timeout: 20_000 }).toBe(true)
  expect([issuer.refreshes, ended]).toEqual([1, undefined])
  const ours = codexAuth(issuer.issueLogin())
  writeFileSync(path, ours)
  release()
  expect((await end).exitCode).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe(ours)
})
