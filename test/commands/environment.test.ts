import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failed, failedInWords, statusOf, timestamp } from '../support/expected-output.ts'
import { credentialOf, jwt, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { recordSecret } from '../support/secrets.ts'

const NOW = 1_800_000_000
const API_KEY = 'sk-proj-0123456789abcdefghijklmnop'

let issuer: FakeIssuer
let home: Home
let accessToken: string

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
  accessToken = jwt({
    exp: NOW + 600,
    'https://api.openai.com/profile': { email: 'bob@example.com' },
    'https://api.openai.com/auth': {
      chatgpt_account_id: 'account-2',
      chatgpt_user_id: 'user-2',
      chatgpt_plan_type: 'team',
    },
  })
  recordSecret(accessToken, 'access_token')
  recordSecret(API_KEY, 'api_key')
})

afterEach(async () => {
  home.remove([...issuer.secrets, accessToken, API_KEY])
  await issuer.close()
})

async function keepLogin() {
  const login = issuer.issueLogin()
  await home.keep(credentialOf(login))
  return login
}

async function runJson(words: string, env: Record<string, string>, now = NOW) {
  const { stdout, ...rest } = await home.run(words, { env, now })
  return { ...rest, json: JSON.parse(stdout) as unknown }
}

/** All of `status --json` for a token that did not come from the store. */
function environmentStatus(changes: object) {
  const nobody = { account: { email: null, id: null, user_id: null, plan: null } }
  const unknown = { expires_at: null, expires_in: null, expiring: null, obtained_at: null, scopes: [] }
  const login = credentialOf(issuer.issueLogin())
  return statusOf(home, { ...login, issuer: 'https://auth.openai.com' }, NOW, {
    ...nobody,
    ...unknown,
    method: 'access_token',
    client_id: null,
    refreshable: false,
    source: 'environment',
    store: null,
    ...changes,
  })
}

describe('CODEX_AUTH_TOKEN with an access token', () => {
  test('wins over the store, and nobody is asked', async () => {
    await keepLogin()
    const env = { CODEX_AUTH_TOKEN: ` ${accessToken}\n` }
    expect(await home.run('token', { env, now: NOW })).toEqual({
      exitCode: 0,
      stdout: `${accessToken}\n`,
      stderr: '',
    })
    expect(await runJson('token --json', env)).toEqual({
      exitCode: 0,
      stderr: '',
      json: {
        schema_version: 1,
        access_token: accessToken,
        token_type: 'Bearer',
        expires_at: timestamp(NOW + 600),
        expires_in: 600,
        account_id: 'account-2',
        base_url: 'https://chatgpt.com/backend-api/codex',
        profile: 'default',
      },
    })
    expect(issuer.requests).toEqual([])
  })

  test('is what status reports', async () => {
    await keepLogin()
    const env = { CODEX_AUTH_TOKEN: accessToken }
    expect(await runJson('status --json', env)).toEqual({
      exitCode: 0,
      stderr: '',
      json: environmentStatus({
        account: { email: 'bob@example.com', id: 'account-2', user_id: 'user-2', plan: 'team' },
        expires_at: timestamp(NOW + 600),
        expires_in: 600,
        expiring: false,
      }),
    })
    expect(await home.run('status', { env, now: NOW })).toEqual({
      exitCode: 0,
      stdout:
        'CODEX_AUTH_TOKEN (it wins over the store): bob@example.com (team)\n' +
        `  Access token lives 10 min more (until ${timestamp(NOW + 600)})\n` +
        '  Provider     https://auth.openai.com (openai)\n' +
        '  Scopes       none\n',
      stderr: '',
    })
  })

  test('is left out of status --all, which reports what is stored', async () => {
    await keepLogin()
    const { json } = await runJson('status --all --json', { CODEX_AUTH_TOKEN: accessToken })
    expect(json).toMatchObject({ profiles: [{ source: 'store', account: { email: 'alice@example.com' } }] })
  })

  test('that lives shorter than asked is printed, with 3', async () => {
    const env = { CODEX_AUTH_TOKEN: accessToken }
    expect(await home.run('token --min-ttl 1h', { env, now: NOW })).toEqual({
      exitCode: 3,
      stdout: `${accessToken}\n`,
      stderr: 'codex-auth: warning: the access token lives 10 min, shorter than --min-ttl asked.\n',
    })
    expect(await runJson('status --min-ttl 1h --json', env)).toMatchObject({ exitCode: 3 })
  })

  test('that has ended is an end, also when a login is stored', async () => {
    await keepLogin()
    const options = { env: { CODEX_AUTH_TOKEN: accessToken }, now: NOW + 600 }
    const failure = {
      code: 'login_required',
      exit_code: 4,
      message: 'The access token in CODEX_AUTH_TOKEN has expired.',
      next_step: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
    }
    expect(await home.run('token', options)).toEqual(failedInWords(failure))
    expect(await home.run('token --json', options)).toEqual(failed(failure))
    expect(await runJson('status --json', options.env, options.now)).toMatchObject({
      exitCode: 4,
      json: {
        state: 'dead',
        usable: false,
        reason: 'expired',
        source: 'environment',
        message: failure.message,
        next_step: failure.next_step,
      },
    })
  })

  test('may have an end that no calendar has', async () => {
    const token = jwt({ exp: 1e18 })
    const env = { CODEX_AUTH_TOKEN: token }
    expect(await home.run('token', { env })).toEqual({ exitCode: 0, stdout: `${token}\n`, stderr: '' })
    expect(await runJson('token --json', env)).toMatchObject({ exitCode: 0, json: { expires_at: null } })
    expect(await runJson('status --json', env)).toMatchObject({ exitCode: 0, json: { expires_at: null } })
  })

  test('does not touch what is stored when that is refreshed or removed', async () => {
    await keepLogin()
    const env = { CODEX_AUTH_TOKEN: accessToken }
    const { json } = await runJson('refresh --json --quiet', env, Date.now() / 1000)
    expect(json).toMatchObject({ refreshed: true, source: 'store', account: { email: 'alice@example.com' } })
    expect(await home.run('logout', { env })).toMatchObject({ exitCode: 0 })
    expect({ live: issuer.liveFamilies(), kept: home.kept() }).toEqual({ live: 0, kept: undefined })
  })
})

describe('CODEX_AUTH_TOKEN with an API key', () => {
  const env = { CODEX_AUTH_TOKEN: API_KEY }

  test('is printed as it is, for the address where it is accepted', async () => {
    expect(await home.run('token --min-ttl 30d', { env })).toEqual({
      exitCode: 0,
      stdout: `${API_KEY}\n`,
      stderr: '',
    })
    expect(await runJson('token --json', env)).toEqual({
      exitCode: 0,
      stderr: '',
      json: {
        schema_version: 1,
        access_token: API_KEY,
        token_type: 'Bearer',
        expires_at: null,
        expires_in: null,
        account_id: null,
        base_url: 'https://api.openai.com/v1',
        profile: 'default',
      },
    })
  })

  test('is what status reports', async () => {
    expect(await runJson('status --json', env)).toEqual({
      exitCode: 0,
      stderr: '',
      json: environmentStatus({ method: 'api_key' }),
    })
    expect(await home.run('status', { env })).toEqual({
      exitCode: 0,
      stdout:
        'CODEX_AUTH_TOKEN (it wins over the store): an API key\n' +
        '  API key      never expires by itself\n' +
        '  Provider     https://auth.openai.com (openai)\n' +
        '  Scopes       none\n',
      stderr: '',
    })
  })
})

test.each(['', '  \n'])('CODEX_AUTH_TOKEN with nothing in it (%j) is as good as none', async (value) => {
  const login = await keepLogin()
  const run = await home.run('token', { env: { CODEX_AUTH_TOKEN: value }, now: login.issuedAt })
  expect(run).toEqual({ exitCode: 0, stdout: `${login.accessToken}\n`, stderr: '' })
})

test.each(['sk-proj-0123456789 abcdef', 'eyJh\nbGciOi', 'sk-proj-\u00a0012345678', 'sk-\u2026'])(
  'CODEX_AUTH_TOKEN with more than one word in it (%j) is refused, and not repeated',
  async (value) => {
    await keepLogin()
    const failure = {
      code: 'usage',
      exit_code: 2,
      message: 'CODEX_AUTH_TOKEN does not hold one token: there are spaces or other characters in it.',
      next_step: 'put one access token or API key into CODEX_AUTH_TOKEN, or unset it',
    }
    const env = { CODEX_AUTH_TOKEN: value }
    expect(await home.run('token', { env })).toEqual(failedInWords(failure))
    expect(await home.run('status --json', { env })).toEqual(failed(failure))
  },
)

describe('CODEX_AUTH_PROFILE', () => {
  test.each([
    { env: 'work', setting: undefined, words: 'status', next: 'codex-auth login --profile work' },
    { env: 'work', setting: 'work', words: 'status', next: 'codex-auth login' },
    {
      env: 'work',
      setting: undefined,
      words: 'status --profile default',
      next: 'codex-auth login --profile default',
    },
    { env: '', setting: 'work', words: 'status', next: 'codex-auth login' },
    {
      env: '',
      setting: 'work',
      words: 'status --profile default',
      next: 'codex-auth login --profile default',
    },
    { env: '', setting: undefined, words: 'status --profile default', next: 'codex-auth login' },
    { env: '', setting: undefined, words: 'status --profile home', next: 'codex-auth login --profile home' },
    { env: '', setting: undefined, words: 'status', next: 'codex-auth login' },
  ])(
    '$env, with the setting $setting: `$words` leads on with `$next`',
    async ({ env, setting, words, next }) => {
      if (setting !== undefined) await home.run(`profile use ${setting}`)
      const options = { env: { CODEX_AUTH_PROFILE: env } }
      const { stdout } = await home.run(`${words} --json`, options)
      expect(JSON.parse(stdout)).toMatchObject({ next_step: next })
      expect((await home.run(words.replace('status', 'token'), options)).stderr).toMatch(
        new RegExp(`\\n {2}Next: ${next}\\n$`),
      )
    },
  )

  test('is refused by name when it could not be a profile’s', async () => {
    expect(await home.run('token --json', { env: { CODEX_AUTH_PROFILE: '../key' } })).toEqual(
      failed({
        code: 'usage',
        exit_code: 2,
        message: '"../key" is not a profile name.',
        next_step:
          'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work',
      }),
    )
  })
})

describe('CODEX_AUTH_HOME', () => {
  test('is where everything is kept', async () => {
    const root = join(home.path, 'elsewhere')
    const run = await home.run('config path', { env: { CODEX_AUTH_HOME: root } })
    expect(run).toEqual({ exitCode: 0, stdout: `${root}/config.json\n`, stderr: '' })
  })

  test('is the person’s configuration folder when it is not set', async () => {
    const unset = await home.run('config path', { env: { CODEX_AUTH_HOME: '' } })
    expect(unset).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\/codex-auth\/config\.json\n$/),
    })
  })

  test('is made by nothing that only looks', async () => {
    const root = join(home.path, 'elsewhere')
    for (const words of [
      'token',
      'status',
      'status --all',
      'profile list',
      'config list',
      'logout',
      'refresh',
    ]) {
      await home.run(words, { env: { CODEX_AUTH_HOME: root } })
    }
    expect(readdirSync(home.path)).toEqual([])
  })
})

describe('CODEX_AUTH_KEY_SOURCE', () => {
  test('may be file', async () => {
    const login = await keepLogin()
    const options = { env: { CODEX_AUTH_KEY_SOURCE: 'file' }, now: login.issuedAt }
    expect(await home.run('token', options)).toMatchObject({ exitCode: 0 })
  })

  test('may be nothing else yet', async () => {
    expect(await home.run('token --json', { env: { CODEX_AUTH_KEY_SOURCE: 'keyring' } })).toEqual(
      failed({
        code: 'usage',
        exit_code: 2,
        message: 'CODEX_AUTH_KEY_SOURCE="keyring" is not a key source of this version.',
        next_step: 'unset CODEX_AUTH_KEY_SOURCE, or set it to file',
      }),
    )
  })
})
