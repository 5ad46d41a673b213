import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codexAuth, codexFolder, withoutToken } from '../support/codex-auth.ts'
import { freshSecret, sampleCredential } from '../support/credentials.ts'
import { failed, failedInWords, timestamp } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Ended, type Home } from '../support/fake-surroundings.ts'

const BOB = { email: 'bob@example.com', accountId: 'account-2', userId: 'user-2', plan: 'team' }
const MOVED = 'Moved the login of alice@example.com (plus) from the profile "default" to Codex.\n'
const OWNER = /^[\w-]{43}$/

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

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** A login of alice in the profile. */
async function keepAlice() {
  const login = issuer.issueLogin()
  await home.keep(credentialOf(login))
  return login
}

describe('a login of ChatGPT', () => {
  test('is moved: Codex has it as if it had signed in itself, and the profile has it no more', async () => {
    const login = await keepAlice()
    const { folder, path } = codexFolder()
    const { stdout, ...ended } = await run('export codex --json', folder)
    expect({ ...ended, stdout: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      stderr: MOVED,
      stdout: {
        schema_version: 1,
        profile: 'default',
        state: 'none',
        method: 'chatgpt',
        provider: 'openai',
        issuer: issuer.issuer,
        client_id: issuer.clientId,
        account: { email: 'alice@example.com', id: 'account-1', user_id: 'user-1', plan: 'plus' },
        expires_at: timestamp(login.expiresAt),
        moved: true,
        path,
      },
    })
    expect(home.kept()).toBeUndefined()
    const { login_owner_id: owner } = read(path).tokens
    expect(owner).toMatch(OWNER)
    const last_refresh = new Date(login.issuedAt * 1000).toISOString()
    expect(readFileSync(path, 'utf8')).toBe(codexAuth(login, { last_refresh }, { login_owner_id: owner }))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(issuer.requests).toEqual([])
  })

  test('goes into ~/.codex, which is made for it', async () => {
    await keepAlice()
    const person = codexFolder().folder
    expect((await home.run('export codex', { env: { HOME: person } })).exitCode).toBe(0)
    expect(statSync(join(person, '.codex')).mode & 0o777).toBe(0o700)
    expect(read(join(person, '.codex', 'auth.json')).auth_mode).toBe('chatgpt')
  })

  test('is copied with a warning', async () => {
    const login = await keepAlice()
    const { folder, path } = codexFolder()
    expect(await run('export codex --copy', folder)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'Copied the login of alice@example.com (plus) in the profile "default" to Codex; it stays here.\n' +
        'codex-auth: warning: Codex and codex-auth now hold the same refresh token, which works once: whichever renews the login first logs the other one out.\n',
    })
    const { refresh_token: refreshToken, login_owner_id: importedFrom } = read(path).tokens
    expect(home.kept()).toEqual({ ...credentialOf(login), importedFrom })
    expect(refreshToken).toBe(login.refreshToken)
  })

  test('leaves a copy that does not take the place of what has been renewed here, when it comes back', async () => {
    await keepAlice()
    const { folder, path } = codexFolder()
    await run('export codex --copy', folder)
    await run('refresh', folder)
    const renewed = home.kept()
    expect((await run('import codex', folder)).exitCode).toBe(0)
    expect({ here: home.kept(), codex: read(path).tokens.refresh_token }).toEqual({
      here: renewed,
      codex: '',
    })
    expect({ lives: issuer.accepts(renewed?.refreshToken ?? ''), spentTwice: issuer.spentTwice }).toEqual({
      lives: true,
      spentTwice: 0,
    })
  })

  test('comes back as it was, with every other byte of the file', async () => {
    const login = issuer.issueLogin()
    const changes = { zz: [1, { a: null }], last_refresh: new Date(login.issuedAt * 1000).toISOString() }
    const text = `${JSON.stringify(JSON.parse(codexAuth(login, changes)), null, '\t').replace(':', '  :')}\n`
    const { folder, path } = codexFolder(text)
    await run('import codex', folder)
    expect(readFileSync(path, 'utf8')).toBe(withoutToken(text, login.refreshToken))
    expect((await run('export codex', folder)).exitCode).toBe(0)
    const before = JSON.parse(text).tokens.login_owner_id
    expect(readFileSync(path, 'utf8')).toBe(text.replace(before, read(path).tokens.login_owner_id))
  })
})

describe('a second time', () => {
  test.for(['export codex', 'export codex --force'])(
    'after an import, it is moved again: %s',
    async (again) => {
      const login = await keepAlice()
      const { folder, path } = codexFolder()
      const holders: { codex: string; here: string | undefined }[] = []
      for (const words of ['export codex', 'import codex', again, 'import codex', again]) {
        expect((await run(words, folder)).exitCode).toBe(0)
        holders.push({ codex: read(path).tokens.refresh_token, here: home.kept()?.refreshToken })
      }
      const { refreshToken } = login
      const atCodex = { codex: refreshToken, here: undefined }
      const here = { codex: '', here: refreshToken }
      expect(holders).toEqual([atCodex, here, atCodex, here, atCodex])
    },
  )

  test('after a crash in between, the move is finished', async () => {
    const login = await keepAlice()
    const { folder, path } = codexFolder()
    await run('export codex --copy', folder)
    const text = readFileSync(path, 'utf8')
    expect(await run('export codex', folder)).toEqual({ exitCode: 0, stdout: '', stderr: MOVED })
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, text])
    expect(issuer.accepts(login.refreshToken)).toBe(true)
  })

  test('what Codex has renewed meanwhile is not overwritten', async () => {
    await keepAlice()
    const { folder, path } = codexFolder()
    await run('export codex --copy', folder)
    const { login_owner_id } = read(path).tokens
    const renewed = codexAuth(issuer.issueLogin(), {}, { login_owner_id })
    writeFileSync(path, renewed)
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, renewed])
  })

  test('a file that cannot be replaced leaves the login here', async () => {
    const login = await keepAlice()
    const { folder, path } = codexFolder()
    mkdirSync(`${path}.lock`)
    expect((await run('export codex', folder)).exitCode).toBe(7)
    expect(home.kept()).toEqual({ ...credentialOf(login), importedFrom: expect.any(String) })
    rmdirSync(`${path}.lock`)
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect(read(path).tokens.refresh_token).toBe(login.refreshToken)
  })
})

test('what an export that was killed has left beside the file is removed, and what Codex has left stays', async () => {
  await keepAlice()
  const { folder } = codexFolder()
  for (const name of ['.auth.json.0123456789ab.tmp', '.auth-x7Pq2Z'])
    writeFileSync(join(folder, name), codexAuth(issuer.issueLogin()))
  expect((await run('export codex', folder)).exitCode).toBe(0)
  expect(readdirSync(folder)).toEqual(['.auth-x7Pq2Z', 'auth.json', 'auth.json.lock', 'auth.lock'])
})

describe('what Codex has already', () => {
  test('of a different account stays, unless it is forced to go', async () => {
    const alice = await keepAlice()
    const text = codexAuth(issuer.issueLogin({ account: BOB }), { OPENAI_API_KEY: 'sk-of-bob' })
    const { folder, path } = codexFolder(text)
    expect(await run('export codex --json', folder)).toEqual(
      failed({
        code: 'login_incomplete',
        exit_code: 8,
        message:
          'Codex has a login of bob@example.com, and the profile "default" holds a login of alice@example.com. Nothing was changed.',
        next_step:
          'sign out of Codex first (codex logout), or replace its login: codex-auth export codex --force',
      }),
    )
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([credentialOf(alice), text])
    expect(await run('export codex --force', folder)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${MOVED}codex-auth: warning: Codex's own login before is gone; its provider was not told, so it lives on until it expires.\n`,
    })
    expect(read(path)).toMatchObject({ OPENAI_API_KEY: null, tokens: { account_id: 'account-1' } })
  })

  test('of the same account is replaced, and a key beside it stays', async () => {
    const alice = await keepAlice()
    const { folder, path } = codexFolder(codexAuth(issuer.issueLogin(), { OPENAI_API_KEY: 'sk-of-alice' }))
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect(read(path)).toMatchObject({
      OPENAI_API_KEY: 'sk-of-alice',
      tokens: { refresh_token: alice.refreshToken },
    })
  })

  test('is an API key: it goes only by force, and what else would go first with it', async () => {
    const alice = await keepAlice()
    const { folder, path } = codexFolder(
      '{"zz": 1, "OPENAI_API_KEY": "sk-other", "agent_identity": "x", "bedrock_api_key":null}',
    )
    const { exitCode, stderr } = await run('export codex', folder)
    expect([exitCode, stderr.split('\n')[0]]).toEqual([
      8,
      'codex-auth: Codex has an API key, and the profile "default" holds a login of alice@example.com. Nothing was changed.',
    ])
    expect((await run('export codex --force', folder)).exitCode).toBe(0)
    expect(read(path)).toMatchObject({
      zz: 1,
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: null,
      agent_identity: null,
      tokens: { refresh_token: alice.refreshToken },
    })
  })

  test('begins with a byte order mark, with which Codex would not read it', async () => {
    await keepAlice()
    const { folder, path } = codexFolder(`\uFEFF${codexAuth(issuer.issueLogin())}`)
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8').startsWith('{')).toBe(true)
  })

  test('is a hard link: nothing is changed', async () => {
    const alice = await keepAlice()
    const { folder, path } = codexFolder('{}')
    linkSync(path, join(folder, 'second'))
    expect((await run('export codex', folder)).exitCode).toBe(7)
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([credentialOf(alice), '{}'])
  })

  test.each([
    ['to nothing', 'nothing'],
    ['to itself', 'auth.json'],
    ['below a file', 'file/auth.json'],
  ])('is a link %s: nothing is changed', async (_where, target) => {
    const alice = await keepAlice()
    const { folder, path } = codexFolder()
    writeFileSync(join(folder, 'file'), '')
    symlinkSync(target, path)
    expect(await run('export codex', folder)).toEqual(
      failedInWords({
        exit_code: 7,
        message: `${path} is a link that leads nowhere.`,
        next_step: `rm ${path}`,
      }),
    )
    expect([home.kept(), readlinkSync(path)]).toEqual([credentialOf(alice), target])
  })
})

describe('a key or token that does not renew itself is copied:', () => {
  test('an API key', async () => {
    const key = `sk-proj-${freshSecret('api_key')}`
    await home.keep(
      sampleCredential({
        method: 'api_key',
        accessToken: key,
        refreshToken: undefined,
        expiresAt: undefined,
      }),
    )
    const { folder, path } = codexFolder()
    expect(await run('export codex', folder)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Copied the API key in the profile "default" to Codex; it stays here.\n',
    })
    expect(readFileSync(path, 'utf8')).toBe(`{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "${key}"\n}`)
    expect(home.kept()?.accessToken).toBe(key)
  })

  test('a personal access token, whose mode Codex finds out', async () => {
    const token = `at-${freshSecret('access_token')}`
    await home.keep(
      sampleCredential({
        method: 'access_token',
        accessToken: token,
        refreshToken: undefined,
        expiresAt: undefined,
      }),
    )
    const { folder, path } = codexFolder()
    expect((await run('export codex', folder)).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(
      `{\n  "OPENAI_API_KEY": null,\n  "personal_access_token": "${token}"\n}`,
    )
    expect(home.kept()?.accessToken).toBe(token)
  })
})

describe('what cannot be exported is told:', () => {
  test.each([
    [
      'a login of another provider',
      { method: 'oauth', provider: 'oidc', issuer: 'https://id.example' } as const,
      2,
      'Codex signs in at OpenAI only, and the profile "default" holds a login of https://id.example.',
      'make Codex fetch its token instead: codex-auth setup codex',
    ],
    [
      'another kind of access token',
      { method: 'access_token', refreshToken: undefined } as const,
      2,
      'Codex takes personal access tokens only (at-…), and the profile "default" holds another kind.',
      'sign in with ChatGPT: codex-auth login',
    ],
    [
      'a login without an id token',
      { idToken: undefined } as const,
      4,
      'This login has no id token, and Codex takes none without.',
      'sign in again for one: codex-auth login',
    ],
    [
      'an id token that Codex cannot read',
      { idToken: 'opaque' } as const,
      4,
      'This login has no id token, and Codex takes none without.',
      'sign in again for one: codex-auth login',
    ],
    [
      'a login that has ended',
      { refreshToken: undefined, expiresAt: 1_700_000_000 } as const,
      4,
      'The access token has expired, and this login cannot be renewed.',
      'codex-auth login',
    ],
    [
      'a login that was refused',
      { refusal: { reason: 'revoked', at: 1_700_000_000 } } as const,
      4,
      'The provider does not renew this login any more: its refresh token was revoked (2023-11-14T22:13:20Z).',
      'codex-auth login',
    ],
  ])('%s', async (_what, changes, exit_code, message, next_step) => {
    const credential = { ...credentialOf(issuer.issueLogin()), ...changes }
    await home.keep(credential)
    const { folder, path } = codexFolder('{}')
    expect(await run('export codex', folder)).toEqual(failedInWords({ exit_code, message, next_step }))
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([credential, '{}'])
  })

  test('an empty profile', async () => {
    const message = 'Nobody is signed in to the profile "default".'
    expect(await run('export codex', codexFolder().folder)).toEqual(
      failedInWords({ exit_code: 4, message, next_step: 'codex-auth login' }),
    )
  })

  test('a Codex that does not use its file', async () => {
    await keepAlice()
    const { folder, path } = codexFolder()
    writeFileSync(join(folder, 'config.toml'), 'cli_auth_credentials_store = "keyring"')
    expect(await run('export codex', folder)).toEqual(
      failedInWords({
        exit_code: 2,
        message: `Codex does not use ${path} (cli_auth_credentials_store = "keyring"). Nothing was changed.`,
        next_step: 'write cli_auth_credentials_store = "file" into Codex\'s config.toml, and try again',
      }),
    )
  })
})

test('a Codex that looks into the keyring first is told of', async () => {
  await keepAlice()
  const { folder } = codexFolder()
  writeFileSync(join(folder, 'config.toml'), 'cli_auth_credentials_store = "auto"')
  expect(await run('export codex --quiet', folder)).toEqual({
    exitCode: 0,
    stdout: '',
    stderr:
      "codex-auth: warning: Codex looks into the system's keyring first (cli_auth_credentials_store); what is there hides this login.\n",
  })
})
