import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answers, credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { failed, failedInWords, timestamp } from '../support/expected-output.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

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

/** Stores a login whose access token was issued `age` seconds before `now`, by every clock, and lives `life` seconds. */
async function keepLogin({ life = 3600, age = 0, profile = 'default' } = {}) {
  const login = issuer.issueLogin({ accessTokenLifetime: life })
  await home.keep(credentialOf(login), profile)
  issuer.behaviour.clockOffset = age
  return { token: login.accessToken, expiresAt: login.expiresAt, now: login.issuedAt + age }
}

/** Prints the token that is stored by now, and says this. */
function printsStored({ exitCode = 0, stderr = '' } = {}) {
  return { exitCode, stdout: `${home.kept()?.accessToken}\n`, stderr }
}

function reasonsSent() {
  return issuer.requests.map(({ parameters }) => parameters?.['refresh_reason'])
}

describe('a token that lives long enough', () => {
  test('is all that is printed, and nobody is asked', async () => {
    const { token, now } = await keepLogin()
    expect(await home.run('token', { now })).toEqual({ exitCode: 0, stdout: `${token}\n`, stderr: '' })
    expect(issuer.requests).toEqual([])
  })

  test('is printed with all that is known of it with --json', async () => {
    const { token, now, expiresAt } = await keepLogin()
    const { stdout, ...rest } = await home.run('token --json', { now })
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.split('\n')).toHaveLength(2)
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      access_token: token,
      token_type: 'Bearer',
      expires_at: timestamp(expiresAt),
      expires_in: 3600,
      account_id: 'account-1',
      base_url: 'https://chatgpt.com/backend-api/codex',
      profile: 'default',
    })
  })

  test('has null with --json for what is not known', async () => {
    const nobody = { email: undefined, id: undefined, userId: undefined, plan: undefined }
    const login = credentialOf(issuer.issueLogin())
    await home.keep(
      { ...login, provider: 'oidc', method: 'oauth', expiresAt: undefined, account: nobody },
      'work',
    )
    const { stdout } = await home.run('token --json --profile work')
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      access_token: login.accessToken,
      token_type: 'Bearer',
      expires_at: null,
      expires_in: null,
      account_id: null,
      base_url: null,
      profile: 'work',
    })
  })

  test('comes from the profile that is named', async () => {
    const mine = await keepLogin()
    const work = await keepLogin({ profile: 'work' })
    const env = { CODEX_AUTH_PROFILE: 'work' }
    const ended = [
      await home.run('token'),
      await home.run('token --profile work'),
      await home.run('--profile=work token'),
      await home.run('token', { env }),
      await home.run('token --profile default', { env }),
    ]
    const tokens = [mine, work, work, work, mine].map(({ token }) => token)
    expect(ended).toEqual(tokens.map((token) => ({ exitCode: 0, stdout: `${token}\n`, stderr: '' })))
  })
})

describe('a token that is about to end', () => {
  test('is refreshed when it lives less than five minutes', async () => {
    const { token, now } = await keepLogin({ age: 3301 })
    expect(await home.run('token', { now })).toEqual(printsStored())
    expect(home.kept()?.accessToken).not.toBe(token)
    expect(reasonsSent()).toEqual(['proactive_expiry'])
  })

  test('is left alone when it lives five minutes', async () => {
    const { token, now } = await keepLogin({ age: 3300 })
    expect(await home.run('token', { now })).toEqual({ exitCode: 0, stdout: `${token}\n`, stderr: '' })
    expect(issuer.requests).toEqual([])
  })

  test('is refreshed once by any number of calls at the same time', async () => {
    const { now } = await keepLogin({ age: 3600 })
    const calls = Array.from({ length: 6 }, () => home.run('token', { now }))
    const ended = await Promise.all(calls)
    expect(ended).toEqual(Array(6).fill(printsStored()))
    expect({ refreshes: issuer.refreshes, live: issuer.liveFamilies() }).toEqual({ refreshes: 1, live: 1 })
  })

  test('is printed with one warning when the provider cannot be asked, and the call succeeds', async () => {
    const { token, now } = await keepLogin({ age: 3400 })
    issuer.nextAnswers.push(answers.html(502))
    expect(await home.run('token', { now })).toEqual({
      exitCode: 0,
      stdout: `${token}\n`,
      stderr: `codex-auth: warning: ${new URL(issuer.issuer).host} answered 502. The stored token still lives and is used.\n`,
    })
  })

  test('is printed with one warning when another process does not let go of the profile', async () => {
    const { token, now } = await keepLogin({ age: 3400 })
    await home.run('config set lock_wait 0')
    const ended = await home.store.exclusively('default', { work: () => home.run('token', { now }) })
    expect(ended).toEqual({
      exitCode: 0,
      stdout: `${token}\n`,
      stderr: expect.stringMatching(
        /^codex-auth: warning: The lock \S+default\.lock is held by process \d+ .*\. The stored token still lives and is used\.\n$/,
      ),
    })
    expect(issuer.requests).toEqual([])
  })

  test('is not printed when the provider will not renew the login', async () => {
    const { now } = await keepLogin({ age: 3400 })
    issuer.endLogin(home.kept()?.refreshToken ?? '')
    expect(await home.run('token', { now })).toEqual(
      failedInWords({
        exit_code: 4,
        message: `The provider does not renew this login any more: its refresh token was revoked (${timestamp(now)}).`,
        next_step: 'codex-auth login',
      }),
    )
  })
})

describe('a token that has ended', () => {
  test('is renewed', async () => {
    const { now } = await keepLogin({ age: 3600 })
    expect(await home.run('token', { now })).toEqual(printsStored())
    expect(issuer.refreshes).toBe(1)
  })

  test('is never printed when the provider cannot be asked', async () => {
    const { now } = await keepLogin({ age: 3600 })
    issuer.behaviour.standingAnswer = answers.json(500, { error: 'server_error' })
    const failure = {
      code: 'provider_unavailable',
      exit_code: 5,
      message: `${new URL(issuer.issuer).host} answered 500 (server_error).`,
      next_step: 'try again in a moment; what is stored has not changed',
    }
    expect(await home.run('token', { now })).toEqual(failedInWords(failure))
    expect(await home.run('token --json --min-ttl 0', { now })).toEqual(failed(failure))
  })

  test('needs a new login when there is no refresh token', async () => {
    const login = issuer.issueLogin()
    await home.keep({ ...credentialOf(login), refreshToken: undefined })
    expect(await home.run('token --json', { now: login.expiresAt })).toEqual(
      failed({
        code: 'login_required',
        exit_code: 4,
        message: 'The access token has expired, and this login cannot be renewed.',
        next_step: 'codex-auth login',
      }),
    )
    expect(issuer.requests).toEqual([])
  })
})

describe('a new token that has ended already', () => {
  test.each(['token', 'refresh'])('is saved and never printed: %s ends with 5', async (words) => {
    const { now } = await keepLogin({ age: 3590 })
    const before = home.kept()
    issuer.behaviour.accessTokenLifetime = -10
    const failure = {
      code: 'provider_unavailable',
      exit_code: 5,
      message: 'The provider renewed the login with an access token that has ended already.',
      next_step: "check this machine's clock, and try again",
    }
    expect(await home.run(`${words} --json`, { now })).toEqual(failed(failure))
    const saved = home.kept()
    expect([saved?.refreshToken === before?.refreshToken, issuer.accepts(saved?.refreshToken ?? '')]).toEqual(
      [false, true],
    )
    expect(await home.run(words, { now })).toEqual(failedInWords(failure))
    issuer.behaviour.accessTokenLifetime = 3600
    expect(await home.run(words, { now })).toMatchObject({ exitCode: 0 })
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 3,
      spentTwice: 0,
    })
  })
})

describe('--min-ttl', () => {
  test('is enough when the token lives exactly so long', async () => {
    const { token, now } = await keepLogin()
    expect(await home.run('token --min-ttl 60m', { now })).toEqual({
      exitCode: 0,
      stdout: `${token}\n`,
      stderr: '',
    })
    expect(issuer.requests).toEqual([])
  })

  test('refreshes a token that lives shorter', async () => {
    const { token, now } = await keepLogin({ age: 1801 })
    expect(await home.run('token --min-ttl 30m', { now })).toEqual(printsStored())
    expect(home.kept()?.accessToken).not.toBe(token)
  })

  test('is less than five minutes when less is asked', async () => {
    const { token, now } = await keepLogin({ age: 3540 })
    expect(await home.run('token --min-ttl 60', { now })).toEqual({
      exitCode: 0,
      stdout: `${token}\n`,
      stderr: '',
    })
    expect(issuer.requests).toEqual([])
  })

  test('ends with 3 and the token when a new one lives shorter as well', async () => {
    const { now } = await keepLogin({ age: 1800 })
    const stderr = 'codex-auth: warning: the access token lives 1 h, shorter than --min-ttl asked.\n'
    expect(await home.run('token --min-ttl 2h', { now })).toEqual(printsStored({ exitCode: 3, stderr }))
    expect(issuer.refreshes).toBe(1)
  })

  test('asks again and again only when a tenth of a life that is too short has passed', async () => {
    const { token, now } = await keepLogin({ age: 359 })
    expect(await home.run('token --min-ttl 2h', { now })).toEqual({
      exitCode: 3,
      stdout: `${token}\n`,
      stderr: 'codex-auth: warning: the access token lives 54 min, shorter than --min-ttl asked.\n',
    })
    expect(issuer.refreshes).toBe(0)
    await home.run('token --min-ttl 2h', { now: now + 1 })
    expect(issuer.refreshes).toBe(1)
  })

  test('is asked for at once when a new token would live long enough', async () => {
    const { now } = await keepLogin({ age: 100 })
    expect(await home.run('token --min-ttl 3550', { now })).toEqual(printsStored())
    expect(issuer.refreshes).toBe(1)
  })

  test('does not count what a refresh took of the life, but the time since then', async () => {
    const { now } = await keepLogin({ age: 1800 })
    await home.run('token --min-ttl 2h', { now })
    await home.run('token --min-ttl 2h', { now: now + 10 })
    expect(issuer.refreshes).toBe(1)
  })

  test('ends with 3, the token and both warnings when it lives shorter and the provider cannot be asked', async () => {
    const { token, now } = await keepLogin({ age: 1800 })
    issuer.nextAnswers.push(answers.unavailable('5'))
    expect(await home.run('token --min-ttl 45m', { now })).toEqual({
      exitCode: 3,
      stdout: `${token}\n`,
      stderr:
        `codex-auth: warning: ${new URL(issuer.issuer).host} answered 503. The stored token still lives and is used.\n` +
        'codex-auth: warning: the access token lives 30 min, shorter than --min-ttl asked.\n',
    })
  })

  test('says 3 beside the whole object with --json', async () => {
    const { now } = await keepLogin()
    const { exitCode, stdout } = await home.run('token --json --min-ttl 61m', { now })
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 3, expires_in: 3600 })
  })

  test('asks nobody for a token without an end', async () => {
    const login = issuer.issueLogin()
    await home.keep({ ...credentialOf(login), expiresAt: undefined })
    expect(await home.run('token --min-ttl 30d')).toEqual({
      exitCode: 0,
      stdout: `${login.accessToken}\n`,
      stderr: '',
    })
    expect(issuer.requests).toEqual([])
  })
})

describe('--no-refresh', () => {
  test('prints a token that lives, however short', async () => {
    const { token, now } = await keepLogin({ age: 3599 })
    expect(await home.run('token --no-refresh', { now })).toEqual({
      exitCode: 0,
      stdout: `${token}\n`,
      stderr: '',
    })
    expect(issuer.requests).toEqual([])
  })

  test('prints it and ends with 3 when it lives shorter than asked', async () => {
    const { token, now } = await keepLogin({ age: 3599 })
    expect(await home.run('token --no-refresh --min-ttl 1m', { now })).toEqual({
      exitCode: 3,
      stdout: `${token}\n`,
      stderr: 'codex-auth: warning: the access token lives 1 s, shorter than --min-ttl asked.\n',
    })
    expect(issuer.requests).toEqual([])
  })

  test('never prints one that has ended', async () => {
    const { now } = await keepLogin({ age: 3600 })
    const failure = {
      code: 'short_lived',
      exit_code: 3,
      message: 'The access token has expired, and --no-refresh forbids to renew it.',
      next_step: 'codex-auth refresh',
    }
    expect(await home.run('token --no-refresh', { now })).toEqual(failedInWords(failure))
    expect(await home.run('token --no-refresh --json', { now })).toEqual(failed(failure))
    expect(issuer.requests).toEqual([])
  })
})

describe('nobody signed in', () => {
  test('is said with the profile, and nothing is on standard output', async () => {
    const message = 'Nobody is signed in to the profile "default".'
    expect(await home.run('token')).toEqual(
      failedInWords({ exit_code: 4, message, next_step: 'codex-auth login' }),
    )
  })

  test.each([
    ['the flag', '--profile work token --json', {}],
    ['the flag in one word', 'token --json --profile=work', {}],
    ['the environment', 'token --json', { CODEX_AUTH_PROFILE: 'work' }],
  ])('has a next step for the profile that %s names', async (_, words, env) => {
    expect(await home.run(words, { env })).toEqual(
      failed({
        code: 'login_required',
        exit_code: 4,
        message: 'Nobody is signed in to the profile "work".',
        next_step: 'codex-auth login --profile work',
      }),
    )
  })
})
