import { lstatSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codexAuth, codexFolder, withoutToken } from '../support/codex-auth.ts'
import { freshSecret } from '../support/credentials.ts'
import { failed, failedInWords, statusOf } from '../support/expected-output.ts'
import { credentialOf, jwt, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home, type RunOptions } from '../support/fake-surroundings.ts'
import { recordSecret } from '../support/secrets.ts'

const ALICE = { email: 'alice@example.com', accountId: 'account-1', userId: 'user-1', plan: 'plus' }
const BOB = { email: 'bob@example.com', accountId: 'account-2', userId: 'user-2', plan: 'team' }

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

function run(words: string, folder: string, options: RunOptions = {}) {
  return home.run(words, { ...options, env: { CODEX_HOME: folder, ...options.env } })
}

describe('a login of ChatGPT', () => {
  test('is moved: saved here, and nothing but its refresh token leaves the file of Codex', async () => {
    const login = issuer.issueLogin()
    const text = codexAuth(login)
    const { folder, path } = codexFolder(text)
    const now = login.issuedAt
    const ended = await run('import codex --json', folder, { now })
    const kept = { ...credentialOf(login), importedFrom: expect.any(String) }
    expect(home.kept()).toEqual(kept)
    expect({ ...ended, stdout: JSON.parse(ended.stdout) }).toEqual({
      exitCode: 0,
      stdout: { ...statusOf(home, credentialOf(login), now), moved: true, path },
      stderr:
        'Moved Codex\'s login of alice@example.com (plus) to the profile "default".\n' +
        'Codex can use it for 1 h more. From then on, it can have its tokens from here: codex-auth setup codex\n',
    })
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, login.refreshToken))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(issuer.requests).toEqual([])
  })

  test('renews itself from then on', async () => {
    const login = issuer.issueLogin({ accessTokenLifetime: -10 })
    const { folder } = codexFolder(codexAuth(login))
    expect(await run('import codex', folder)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'Moved Codex\'s login of alice@example.com (plus) to the profile "default".\n' +
        'Codex cannot use it any more. From then on, it can have its tokens from here: codex-auth setup codex\n',
    })
    const { exitCode, stdout } = await run('token', folder)
    expect({ exitCode, accepted: issuer.accepts(stdout.trim()), refreshes: issuer.refreshes }).toEqual({
      exitCode: 0,
      accepted: true,
      refreshes: 1,
    })
  })

  test.each([
    [
      'other keys, another order, and other spaces',
      (text: string) => `${text.replace('{', '{ "zz":[1 ,{"refresh_token":"no"}],')}\r\n\n`,
    ],
    ['no spaces at all', (text: string) => JSON.stringify(JSON.parse(text))],
    ['tabs', (text: string) => JSON.stringify(JSON.parse(text), null, '\t')],
  ])('keeps every other byte of a file with %s', async (_what, change) => {
    const login = issuer.issueLogin()
    const text = change(codexAuth(login))
    const { folder, path } = codexFolder(text)
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, login.refreshToken))
  })

  test('is read behind a byte order mark, which stays', async () => {
    const login = issuer.issueLogin()
    const text = `\uFEFF${codexAuth(login)}`
    const { folder, path } = codexFolder(text)
    const { exitCode, stderr } = await run('import codex --quiet', folder)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `codex-auth: warning: ${path} begins with a byte order mark, and Codex itself cannot read it.\n`,
    })
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, login.refreshToken))
  })

  test('may be of a release that did not write where it came from', async () => {
    const login = issuer.issueLogin()
    const { folder } = codexFolder(
      codexAuth(login, {}, { oauth_provenance: undefined, login_owner_id: undefined, account_id: undefined }),
    )
    await run('import codex', folder)
    expect(home.kept()).toMatchObject({
      issuer: 'https://auth.openai.com',
      clientId: 'app_EMoamEEZ73f0CkXaXp7hrann',
      account: { id: 'account-1' },
    })
  })

  test('is renewed where the environment of Codex says', async () => {
    const login = issuer.issueLogin()
    const { folder } = codexFolder(codexAuth(login, {}, { oauth_provenance: undefined }))
    const env = {
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer.issuer}/oauth/token`,
      CODEX_APP_SERVER_LOGIN_CLIENT_ID: 'app_other',
    }
    await run('import codex', folder, { env })
    expect(home.kept()).toMatchObject({ issuer: issuer.issuer, clientId: 'app_other' })
  })

  test('lies where a link leads', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexFolder(codexAuth(login))
    const target = join(codexFolder().folder, 'real.json')
    renameSync(path, target)
    symlinkSync(target, path)
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readFileSync(target, 'utf8')).toBe(withoutToken(codexAuth(login), login.refreshToken))
  })

  test('is copied with a warning', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexFolder(codexAuth(login))
    const { exitCode, stdout, stderr } = await run('import codex --copy --json', folder)
    expect({ exitCode, stderr, ...pick(stdout) }).toEqual({
      exitCode: 0,
      moved: false,
      path,
      stderr:
        'Copied Codex\'s login of alice@example.com (plus) to the profile "default".\n' +
        'codex-auth: warning: Codex and codex-auth now hold the same refresh token, which works once: whichever renews the login first logs the other one out.\n',
    })
    expect(readFileSync(path, 'utf8')).toBe(codexAuth(login))
    expect(home.kept()?.refreshToken).toBe(login.refreshToken)
  })
})

function pick(stdout: string): object {
  const { moved, path } = JSON.parse(stdout)
  return { moved, path }
}

describe('a second time', () => {
  test('after a move, there is nothing to do', async () => {
    const { folder } = codexFolder(codexAuth(issuer.issueLogin()))
    await run('import codex', folder)
    const before = readFileSync(home.credentialFile())
    const ended = await run('import codex', folder)
    expect(ended).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'Codex\'s login of alice@example.com (plus) is in the profile "default" already; nothing was changed.\n',
    })
    expect(readFileSync(home.credentialFile()).equals(before)).toBe(true)
  })

  test('into another profile, there is nothing to be had', async () => {
    const { folder, path } = codexFolder(codexAuth(issuer.issueLogin()))
    await run('import codex', folder)
    expect(await run('import codex --profile work', folder)).toEqual(
      failedInWords({
        exit_code: 4,
        message: `Codex's file ${path} holds no refresh token: its login has been moved before, and is not in this profile.`,
        next_step:
          'look for it with codex-auth status --profile work --all, or sign in: codex-auth login --profile work',
      }),
    )
  })

  test('after a crash in between, the move is finished, and what was renewed meanwhile stays', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexFolder(codexAuth(login))
    await run('import codex --copy', folder)
    await run('refresh', folder)
    const renewed = home.kept()?.refreshToken
    expect(renewed).not.toBe(login.refreshToken)
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect(home.kept()?.refreshToken).toBe(renewed)
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(codexAuth(login), login.refreshToken))
  })

  test('after Codex has renewed it, the newer one is taken', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexFolder(codexAuth(login))
    await run('import codex --copy', folder)
    const newer = issuer.issueLogin()
    writeFileSync(path, codexAuth(newer))
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect(home.kept()?.refreshToken).toBe(newer.refreshToken)
  })
})

describe('a login that is in the profile already', () => {
  test('of a different account stays, unless it is forced to go', async () => {
    const bob = credentialOf(issuer.issueLogin({ account: BOB }))
    await home.keep(bob)
    const login = issuer.issueLogin({ account: ALICE })
    const { folder, path } = codexFolder(codexAuth(login))
    expect(await run('import codex --json', folder)).toEqual(
      failed({
        code: 'login_incomplete',
        exit_code: 8,
        message:
          'The profile "default" holds a login of bob@example.com, and Codex has a login of alice@example.com. Nothing was changed.',
        next_step:
          'import into another profile (--profile <name>), or replace this login: codex-auth import codex --force',
      }),
    )
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([bob, codexAuth(login)])
    const { exitCode, stderr } = await run('import codex --force --quiet', folder)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr:
        'codex-auth: warning: the login that was in this profile before is gone here; its provider was not told, so it lives on until it expires.\n',
    })
    expect(home.kept()?.account.email).toBe('alice@example.com')
    expect(issuer.requests).toEqual([])
  })

  test('is replaced when it is over', async () => {
    const bob = credentialOf(issuer.issueLogin({ account: BOB }))
    await home.keep({ ...bob, refusal: { reason: 'revoked', at: bob.obtainedAt } })
    const { folder } = codexFolder(codexAuth(issuer.issueLogin()))
    expect(await run('import codex --quiet', folder)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })
})

describe('a key or token that does not renew itself is copied, and the file stays:', () => {
  test('an API key', async () => {
    const key = `sk-proj-${freshSecret('api_key')}`
    const text = JSON.stringify({ auth_mode: 'apikey', OPENAI_API_KEY: key })
    const { folder, path } = codexFolder(text)
    const { stdout, ...ended } = await run('import codex --json', folder)
    expect({ ...ended, ...pick(stdout) }).toEqual({
      exitCode: 0,
      moved: false,
      path,
      stderr: 'Copied Codex\'s API key to the profile "default"; Codex keeps it.\n',
    })
    expect(home.kept()).toMatchObject({ method: 'api_key', accessToken: key })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('a personal access token, without a mode', async () => {
    const token = `at-${freshSecret('access_token')}`
    const text = JSON.stringify({ OPENAI_API_KEY: null, personal_access_token: token })
    const { folder, path } = codexFolder(text)
    const { exitCode, stderr } = await run('import codex', folder)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'Copied Codex\'s login of an access token to the profile "default".\n',
    })
    expect(home.kept()).toMatchObject({ method: 'access_token', accessToken: token })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})

test('the folder is the one that is named, else that of the variable, else ~/.codex', async () => {
  const [named, variable, own] = [ALICE, BOB, { ...BOB, email: 'carol@example.com' }].map(
    (account) => codexFolder(codexAuth(issuer.issueLogin({ account }))).folder,
  )
  const person = codexFolder().folder
  mkdirSync(join(person, '.codex'))
  renameSync(join(own ?? '', 'auth.json'), join(person, '.codex', 'auth.json'))
  const env = { HOME: person }
  await run(`import codex --profile a --codex-home ${named}`, variable ?? '', { env })
  await run('import codex --profile b', variable ?? '', { env })
  await run('import codex --profile c', '', { env })
  expect(['a', 'b', 'c'].map((profile) => home.kept(profile)?.account.email)).toEqual([
    'alice@example.com',
    'bob@example.com',
    'carol@example.com',
  ])
})

test('what Codex does not know may be there twice', async () => {
  const login = issuer.issueLogin()
  const text = codexAuth(login, { other: 1 }, { other: 2 }).replaceAll(
    /"other": (\d)/g,
    '"other": $1, "other": $1',
  )
  const { folder, path } = codexFolder(text)
  expect((await run('import codex', folder)).exitCode).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, login.refreshToken))
})

test('a configuration of Codex may have numbers that are none of JavaScript', async () => {
  const { folder } = codexFolder(codexAuth(issuer.issueLogin()))
  writeFileSync(join(folder, 'config.toml'), 'tool_output_token_limit = 9223372036854775807\n')
  expect((await run('import codex', folder)).exitCode).toBe(0)
})

test('a token in the environment that wins over the login is told of', async () => {
  const { folder } = codexFolder(codexAuth(issuer.issueLogin()))
  const env = { CODEX_AUTH_TOKEN: freshSecret('access_token') }
  expect(await run('import codex --quiet', folder, { env })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: 'codex-auth: warning: CODEX_AUTH_TOKEN is set and wins over this login.\n',
  })
  expect(home.kept()?.method).toBe('chatgpt')
})

test('an opaque access token is imported as well', async () => {
  const login = issuer.issueLogin()
  const opaque = freshSecret('access_token')
  const { folder } = codexFolder(codexAuth(login, {}, { access_token: opaque }))
  expect(await run('import codex', folder)).toEqual({
    exitCode: 0,
    stdout: '',
    stderr:
      'Moved Codex\'s login of alice@example.com (plus) to the profile "default".\nCodex can use it until its access token ends. From then on, it can have its tokens from here: codex-auth setup codex\n',
  })
  expect(home.kept()).toMatchObject({
    accessToken: opaque,
    expiresAt: undefined,
    account: { email: ALICE.email },
  })
})

test('what an account is called does not steer the terminal', async () => {
  const idToken = jwt({ email: 'a\u001B[2Jb@example.com' })
  recordSecret(idToken, 'id_token')
  const { folder } = codexFolder(codexAuth(issuer.issueLogin(), {}, { id_token: idToken }))
  const { stderr } = await run('import codex', folder)
  expect(stderr).not.toContain('\u001B')
})
