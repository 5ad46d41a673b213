import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import type { Credential } from '../../src/core/credential.ts'
import { failed, failedInWords, timestamp } from '../support/expected-output.ts'
import { credentialOf, jwt, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { keyboard, openPipe, piped, temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { recordSecret } from '../support/secrets.ts'

const NOW = 1_800_000_000
const API_KEY = 'sk-proj-0123456789abcdefghijklmnop'
const PERSONAL_TOKEN = 'at-0123456789abcdefghijklmnop'
const BOB_TOKEN = jwt({
  exp: NOW + 600,
  'https://api.openai.com/profile': { email: 'bob@example.com' },
  'https://api.openai.com/auth': {
    chatgpt_account_id: 'account-2',
    chatgpt_user_id: 'user-2',
    chatgpt_plan_type: 'team',
  },
})
const SECRETS = [API_KEY, PERSONAL_TOKEN, BOB_TOKEN]

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
  recordSecret(API_KEY, 'api_key')
  for (const token of [PERSONAL_TOKEN, BOB_TOKEN]) recordSecret(token, 'access_token')
})

afterEach(async () => {
  home.remove([...issuer.secrets, ...SECRETS])
  await issuer.close()
})

type Flag = '--with-api-key' | '--with-access-token'

function give(flag: Flag, text: string, more = '') {
  return home.run(`login ${flag}${more}`, { stdin: piped(text), now: NOW })
}

async function keepAlice(changes: Partial<Credential> = {}) {
  const login = issuer.issueLogin()
  await home.keep({ ...credentialOf(login), expiresAt: NOW + 3600, ...changes })
  return { ...login, file: readFileSync(home.credentialFile()) }
}

const GIVEN = {
  provider: 'openai',
  issuer: 'https://auth.openai.com',
  clientId: '',
  tokenType: 'Bearer',
  refreshToken: undefined,
  idToken: undefined,
  expiresAt: undefined,
  obtainedAt: NOW,
  refreshedAt: undefined,
  scopes: [],
  account: { email: undefined, id: undefined, userId: undefined, plan: undefined },
  clockSkew: 0,
  refusal: undefined,
} as const

const BOB = { email: 'bob@example.com', id: 'account-2', userId: 'user-2', plan: 'team' }

describe('login --with-api-key', () => {
  test.each([API_KEY, `${API_KEY}\n`, ` \t${API_KEY} \r\n`, `\ufeff${API_KEY}\n`, `${API_KEY}\nand more\n`])(
    'saves the first line without what surrounds it',
    async (text) => {
      expect(await give('--with-api-key', text)).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: 'Saved an API key, profile "default".\n',
      })
      expect(home.kept()).toEqual({ ...GIVEN, method: 'api_key', accessToken: API_KEY })
    },
  )

  test('does not wait for the end of what is piped', async () => {
    const stdin = openPipe()
    const running = home.start('login --with-api-key', { stdin })
    stdin.write(`${API_KEY}\n`)
    expect(await running.ended).toMatchObject({ exitCode: 0 })
    expect([stdin.isPaused(), stdin.listenerCount('data')]).toEqual([true, 0])
  })

  test('asks nobody, also without a person, and the key is there for every command', async () => {
    expect(await give('--with-api-key', API_KEY, ' --no-input --quiet --json')).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    expect(await home.run('token')).toEqual({ exitCode: 0, stdout: `${API_KEY}\n`, stderr: '' })
    expect(await home.run('token --json', { now: NOW })).toMatchObject({
      stdout: expect.stringContaining('"base_url":"https://api.openai.com/v1"'),
    })
    expect(await home.run('status', { now: NOW })).toEqual({
      exitCode: 0,
      stdout:
        'default: an API key\n' +
        '  API key      never expires by itself\n' +
        '  Provider     https://auth.openai.com (openai)\n' +
        '  Scopes       none\n' +
        `  Stored in    ${home.credentialFile()} (sealed, key: file)\n`,
      stderr: '',
    })
    expect(await home.run('refresh')).toEqual(
      failedInWords({
        exit_code: 4,
        message: 'An API key cannot be refreshed.',
        next_step: 'codex-auth login',
      }),
    )
  })

  test('prints what status prints with --json', async () => {
    const run = await give('--with-api-key', API_KEY, ' --json')
    expect(JSON.parse(run.stdout)).toEqual({
      schema_version: 1,
      profile: 'default',
      state: 'valid',
      usable: true,
      exit_code: 0,
      method: 'api_key',
      provider: 'openai',
      issuer: 'https://auth.openai.com',
      client_id: null,
      account: { email: null, id: null, user_id: null, plan: null },
      expires_at: null,
      expires_in: null,
      expiring: null,
      refreshable: false,
      obtained_at: timestamp(NOW),
      refreshed_at: null,
      scopes: [],
      store: { path: home.credentialFile(), key_source: 'file' },
      source: 'store',
      reason: null,
      message: null,
      next_step: null,
      clock_skew: 0,
      login_in_progress: null,
      minted_api_key: false,
      verification: null,
      usage: null,
    })
  })

  test('is forgotten by logout, which has nothing to revoke', async () => {
    await give('--with-api-key', API_KEY)
    expect(await home.run('logout')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed out of "default": removed here; there was nothing to revoke at a provider.\n',
    })
    expect(home.kept()).toBeUndefined()
  })

  test('ends no sign-in of a person unasked, since it does not say whose it is', async () => {
    const alice = await keepAlice()
    expect(await give('--with-api-key', API_KEY)).toEqual(
      failedInWords({
        exit_code: 8,
        message:
          'The profile "default" holds a login of alice@example.com, and an API key was given. Nothing was changed.',
        next_step:
          'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force',
      }),
    )
    expect({
      isUntouched: readFileSync(home.credentialFile()).equals(alice.file),
      live: issuer.accepts(alice.refreshToken),
    }).toEqual({ isUntouched: true, live: true })
  })

  test.each([' --workspace account-1', ' --expect-account alice@example.com'])(
    'cannot be held to%s, which is said before it is read',
    async (rule) => {
      const stdin = openPipe()
      const { ended } = home.start(`login --with-api-key${rule}`, { stdin })
      expect(await ended).toEqual(
        failedInWords({
          exit_code: 2,
          message: 'An API key does not say whose it is, so no account can be expected of it.',
          next_step: 'leave out --workspace and --expect-account',
        }),
      )
    },
  )

  test('replaces a login with --force, which is then revoked', async () => {
    const alice = await keepAlice()
    expect(await give('--with-api-key', API_KEY, ' --force')).toMatchObject({ exitCode: 0 })
    expect({ kept: home.kept()?.method, live: issuer.accepts(alice.refreshToken) }).toEqual({
      kept: 'api_key',
      live: false,
    })
  })

  test('replaces another key, and nobody is told', async () => {
    await give('--with-api-key', 'sk-proj-the-one-before')
    expect(await give('--with-api-key', API_KEY)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Saved an API key, profile "default".\n',
    })
    expect(home.kept()?.accessToken).toBe(API_KEY)
  })
})

describe('login --with-access-token', () => {
  test('saves a JSON Web Token with the account and the end that it names', async () => {
    expect(await give('--with-access-token', `${BOB_TOKEN}\n`)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed in as bob@example.com (team), profile "default".\n',
    })
    expect(home.kept()).toEqual({
      ...GIVEN,
      method: 'access_token',
      accessToken: BOB_TOKEN,
      expiresAt: NOW + 600,
      account: BOB,
    })
    expect(await home.run('token', { now: NOW })).toEqual({
      exitCode: 0,
      stdout: `${BOB_TOKEN}\n`,
      stderr: '',
    })
    expect(await home.run('logout')).toMatchObject({
      stderr: 'Signed out of "default": removed here; there was nothing to revoke at a provider.\n',
    })
  })

  test('saves a personal access token, which tells nothing', async () => {
    expect(await give('--with-access-token', PERSONAL_TOKEN)).toMatchObject({ exitCode: 0 })
    expect(home.kept()).toEqual({ ...GIVEN, method: 'access_token', accessToken: PERSONAL_TOKEN })
    expect(await home.run('token', { now: NOW })).toMatchObject({ stdout: `${PERSONAL_TOKEN}\n` })
  })

  test('is dead once the token has ended, which no refresh mends', async () => {
    await give('--with-access-token', BOB_TOKEN)
    const failure = {
      code: 'login_required',
      exit_code: 4,
      message: 'The access token has expired, and this login cannot be renewed.',
      next_step: 'codex-auth login',
    }
    expect(await home.run('token --json', { now: NOW + 600 })).toEqual(failed(failure))
  })

  test.each([
    ['without a person', () => piped(BOB_TOKEN)],
    ['where nobody sees the question', keyboard],
  ])('replaces no other account without --force (%s)', async (_what, given) => {
    const alice = await keepAlice()
    const stdin = given()
    const running = home.start('login --with-access-token', { stdin, now: NOW })
    if (stdin.isTTY) stdin.write(`${BOB_TOKEN}\r`)
    const { stderr, ...rest } = await running.ended
    expect({ ...rest, stderr: stderr.replace('Access token (not shown): \n', '') }).toEqual(
      failedInWords({
        exit_code: 8,
        message:
          'The profile "default" holds a login of alice@example.com, and the token is one of bob@example.com. Nothing was changed.',
        next_step:
          'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force',
      }),
    )
    expect({
      isUntouched: readFileSync(home.credentialFile()).equals(alice.file),
      live: issuer.accepts(alice.refreshToken),
    }).toEqual({ isUntouched: true, live: true })
  })

  test('replaces another account with --force, and then revokes its login', async () => {
    const alice = await keepAlice()
    expect(await give('--with-access-token', BOB_TOKEN, ' --force')).toMatchObject({ exitCode: 0 })
    expect({ account: home.kept()?.account, live: issuer.accepts(alice.refreshToken) }).toEqual({
      account: BOB,
      live: false,
    })
  })

  test('does not wait for ever for the answer whether to replace another account', async () => {
    const alice = await keepAlice()
    const stdin = keyboard()
    const running = home.start('login --with-access-token --timeout 1', { stdin, terminal: true, now: NOW })
    stdin.write(`${BOB_TOKEN}\r`)
    expect(await running.ended).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining(
        'Nobody said in time whether to replace the login. Nothing was changed.',
      ),
    })
    expect(readFileSync(home.credentialFile()).equals(alice.file)).toBe(true)
  })

  test.each([
    ['y', 0, 'account-2'],
    ['n', 8, 'account-1'],
  ])('asks a person at a terminal whether to replace another account (%s)', async (answer, exitCode, id) => {
    await keepAlice()
    const stdin = keyboard()
    const running = home.start('login --with-access-token', { stdin, terminal: true, now: NOW })
    stdin.write(`${BOB_TOKEN}\r`)
    await running.says(/^Access token \(not shown\): \nThe profile "default" holds .*\? \[y\/N\] $/)
    stdin.write(`${answer}\n`)
    expect(await running.ended).toMatchObject({ exitCode })
    expect(home.kept()?.account.id).toBe(id)
  })

  test('may be bound to an account', async () => {
    expect(await give('--with-access-token', BOB_TOKEN, ' --expect-account alice@example.com')).toMatchObject(
      {
        exitCode: 8,
      },
    )
    expect(home.kept()).toBeUndefined()
    expect(await give('--with-access-token', BOB_TOKEN, ' --expect-account account-2')).toMatchObject({
      exitCode: 0,
    })
  })
})

describe('at a terminal', () => {
  test.each([
    ['--with-api-key', 'API key (not shown): \n', API_KEY, 'Saved an API key, profile "default".\n'],
    [
      '--with-access-token',
      'Access token (not shown): \n',
      BOB_TOKEN,
      'Signed in as bob@example.com (team), profile "default".\n',
    ],
  ])('%s asks for it, and shows nothing of it', async (flag, prompt, secret, done) => {
    const stdin = keyboard()
    const running = home.start(`login ${flag}`, { stdin, terminal: true, now: NOW })
    await running.says(/\(not shown\): $/)
    stdin.write(`${secret}\r`)
    expect(await running.ended).toEqual({ exitCode: 0, stdout: '', stderr: `${prompt}${done}` })
  })

  test.each(['--with-api-key', '--with-access-token'])('%s does not ask with --no-input', async (flag) => {
    expect(await home.run(`login ${flag} --no-input`, { stdin: keyboard(), terminal: true })).toEqual(
      failedInWords({
        exit_code: 9,
        message: 'Signing in needs a person, and --no-input forbids to ask one.',
        next_step: 'leave out --no-input, or put a token into CODEX_AUTH_TOKEN',
      }),
    )
  })

  test('Ctrl-C ends it', async () => {
    const stop = new AbortController()
    const options = { stdin: keyboard(), terminal: true, interruption: stop.signal }
    const running = home.start('login --with-api-key', options)
    await running.says(/not shown/)
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await running.ended).toMatchObject({ exitCode: 130 })
    expect(home.kept()).toBeUndefined()
  })
})

const ENDED = jwt({ exp: NOW })
const ONE_WORD = {
  key: 'This is no API key: it must be one word.',
  token: 'This is no access token: it must be one word.',
}
const ALONE = {
  key: 'This is no API key: bring it alone, with no quotes or name around it.',
  token: 'This is no access token: bring it alone, with no quotes or name around it.',
}
const NO_TOKEN = 'This is no access token: it is neither a JSON Web Token nor begins with "at-".'
const NO_KEY = 'This is an access token, not an API key.'
const [KEY, TOKEN] = ['--with-api-key', '--with-access-token'] as const
const form = (flag: Flag): string => `printf %s "$SECRET" | codex-auth login ${flag}`

test.for(['pk|live:0123/4567', 'c2stcHJvai0wMTIzNDU2Nzg5YWI9PQ=='])(
  'a key of a gateway may look otherwise: %#',
  async (key) => {
    recordSecret(key, 'api_key')
    expect((await home.run('login --with-api-key', { stdin: piped(key) })).exitCode).toBe(0)
    expect(home.kept()?.accessToken === key).toBe(true)
  },
)

describe('what cannot be one is refused with 2, and nothing changes', () => {
  test.each([
    [KEY, 'nothing', '', 'No API key came on standard input.', form(KEY)],
    [KEY, 'an empty line', ' \r\nsk-proj-late\n', 'No API key came on standard input.', form(KEY)],
    [KEY, 'two words', 'sk-proj-0123 456789', ONE_WORD.key, form(KEY)],
    [KEY, 'other characters', 'sk-proj-\u00e9\u00e9\u00e9', ONE_WORD.key, form(KEY)],
    [KEY, 'a control character', 'sk-proj-\u001b[2J', ONE_WORD.key, form(KEY)],
    [KEY, 'one in quotes', `"${API_KEY}"`, ALONE.key, form(KEY)],
    [KEY, 'a line of a file of variables', `OPENAI_API_KEY=${API_KEY}`, ALONE.key, form(KEY)],
    [KEY, 'a JSON object', '{"key":1}', ALONE.key, form(KEY)],
    [KEY, 'far too much', 'sk-'.padEnd(20_000, 'x'), ONE_WORD.key, form(KEY)],
    [KEY, 'a JSON Web Token', BOB_TOKEN, NO_KEY, form(TOKEN)],
    [KEY, 'a personal access token', PERSONAL_TOKEN, NO_KEY, form(TOKEN)],
    [TOKEN, 'nothing', '', 'No access token came on standard input.', form(TOKEN)],
    [TOKEN, 'an empty line', '\n', 'No access token came on standard input.', form(TOKEN)],
    [TOKEN, 'two words', 'at-0123 456789', ONE_WORD.token, form(TOKEN)],
    [TOKEN, 'one in quotes', `'${BOB_TOKEN}'`, ALONE.token, form(TOKEN)],
    [TOKEN, 'the beginning of one', 'at-', NO_TOKEN, form(TOKEN)],
    [TOKEN, 'an API key', API_KEY, NO_TOKEN, form(TOKEN)],
    [TOKEN, 'garbage', 'hello', NO_TOKEN, form(TOKEN)],
    [TOKEN, 'half a JSON Web Token', BOB_TOKEN.split('.').slice(0, 2).join('.'), NO_TOKEN, form(TOKEN)],
    [TOKEN, 'three words with dots', 'a.b.c', NO_TOKEN, form(TOKEN)],
    [TOKEN, 'one that has ended', ENDED, 'This access token has expired.', 'bring a new one'],
  ] as const)('%s: %s', async (flag, _what, text, message, next_step) => {
    const alice = await keepAlice()
    const failure = { code: 'usage', exit_code: 2, message, next_step }
    expect(await give(flag, text)).toEqual(failedInWords(failure))
    expect(await give(flag, text, ' --json')).toEqual(failed(failure))
    expect(readFileSync(home.credentialFile()).equals(alice.file)).toBe(true)
  })

  test('where there is no standard input at all', async () => {
    expect(await home.run('login --with-api-key --profile work')).toEqual(
      failedInWords({
        exit_code: 2,
        message: 'No API key came on standard input.',
        next_step: 'printf %s "$SECRET" | codex-auth login --profile work --with-api-key',
      }),
    )
  })
})
