import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import { AuthError } from '../../src/errors.ts'
import { statusOf, statusWithoutLogin, timestamp } from '../support/expected-output.ts'
import { startFakeBackend, type FakeBackend } from '../support/fake-backend.ts'
import { answers, credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let backend: FakeBackend
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  backend = await startFakeBackend({ accepts: (token) => issuer.accepts(token) })
  home = temporaryHome()
  await home.run(`config set chatgpt_base_url ${backend.chatgptBaseUrl}`)
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await Promise.all([issuer.close(), backend.close()])
})

async function keepLogin(changes: Partial<Credential> = {}, profile = 'default') {
  const credential = { ...credentialOf(issuer.issueLogin()), ...changes }
  await home.keep(credential, profile)
  return { credential, now: credential.obtainedAt }
}

async function runJson(words: string, now?: number) {
  const { stdout, ...rest } = await home.run(words, now === undefined ? {} : { now })
  return { ...rest, json: JSON.parse(stdout) as unknown }
}

/** The request that says nothing of the token. */
function unknownTo(message: string, reason: string, next_step: string) {
  return {
    state: 'unknown',
    usable: null,
    exit_code: 5,
    verification: 'unknown',
    reason,
    message,
    next_step,
  }
}

describe('status --verify', () => {
  test('of a token that the provider accepts', async () => {
    const { credential, now } = await keepLogin()
    const file = readFileSync(home.credentialFile())
    expect(await home.run('status --verify', { now })).toEqual({
      exitCode: 0,
      stdout:
        'default: alice@example.com (plus)\n' +
        `  Access token lives 1 h more (until ${timestamp(credential.expiresAt)}), renews by itself\n` +
        '  Accepted     yes, just now\n' +
        `  Provider     ${issuer.issuer} (openai)\n` +
        '  Scopes       openid profile email offline_access\n' +
        `  Stored in    ${home.credentialFile()} (sealed, key: file)\n`,
      stderr: '',
    })
    expect(await runJson('status --verify --json', now)).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, now, { verification: 'valid' }),
    })
    expect(readFileSync(home.credentialFile()).equals(file)).toBe(true)
    expect([backend.requests.length, issuer.requests]).toEqual([2, []])
  })

  test('of a token that was revoked', async () => {
    const { credential, now } = await keepLogin()
    issuer.endLogin(credential.refreshToken ?? '')
    const file = readFileSync(home.credentialFile())
    const message = 'The provider refuses the access token.'
    const next = 'codex-auth refresh; if that is refused too: codex-auth login'
    expect(await runJson('status --verify --json', now)).toEqual({
      exitCode: 4,
      stderr: '',
      json: statusOf(home, credential, now, {
        state: 'dead',
        usable: false,
        exit_code: 4,
        verification: 'refused',
        reason: 'rejected',
        message,
        next_step: next,
      }),
    })
    const { stdout } = await home.run('status --verify', { now })
    expect(stdout).toContain('  Accepted     no, it is refused\n')
    expect(stdout).toMatch(new RegExp(`\n  Problem {6}${message}\n  Next {9}${next}\n$`))
    expect(readFileSync(home.credentialFile()).equals(file)).toBe(true)
  })

  test('leads through the next step to where it ends', async () => {
    const { credential } = await keepLogin({}, 'work')
    issuer.endLogin(credential.refreshToken ?? '')
    expect(await runJson('status --verify --json --profile work')).toMatchObject({
      json: {
        next_step:
          'codex-auth refresh --profile work; if that is refused too: codex-auth login --profile work',
      },
    })
    expect(await home.run('refresh --profile work')).toMatchObject({ exitCode: 4 })
  })

  test.each([
    ["a proxy's page", answers.html(403), 'provider_failed', 'answered 403.'],
    [
      'a captive portal',
      answers.html(200),
      'invalid_answer',
      'answered 200 with text/html, which is not JSON.',
    ],
    ['an outage', answers.json(503, {}), 'provider_failed', 'answered 503.'],
    [
      'too many requests',
      answers.rateLimited('30'),
      'rate_limited',
      'answered 429: no more requests for 30 s.',
    ],
  ])('that meets %s knows nothing', async (_, answer, reason, what) => {
    const { credential, now } = await keepLogin()
    backend.nextAnswers.push(answer)
    const { host } = new URL(backend.origin)
    const next =
      reason === 'invalid_answer'
        ? 'check for a proxy or captive portal and try again; what is stored has not changed'
        : 'try again in a moment; what is stored has not changed'
    expect(await runJson('status --verify --json', now)).toEqual({
      exitCode: 5,
      stderr: '',
      json: statusOf(home, credential, now, unknownTo(`${host} ${what}`, reason, next)),
    })
  })

  test('knows nothing where nobody can be reached', async () => {
    const { now } = await keepLogin()
    await backend.close()
    const { exitCode, stdout } = await home.run('status --verify', { now })
    expect({ exitCode, shown: stdout.includes('  Accepted     not known\n') }).toEqual({
      exitCode: 5,
      shown: true,
    })
    expect(stdout).toMatch(/ {2}Problem {6}127\.0\.0\.1:\d+ could not be reached \(ECONNREFUSED\)\.\n/)
  })

  test('ends at once with a signal, also while nobody answers', async () => {
    await keepLogin()
    const held = hold()
    backend.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const ended = home.run('status --verify', { interruption: stop.signal })
    await held.arrived
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await ended).toMatchObject({ exitCode: 130, stdout: '' })
  })

  test('asks nobody about a token that has ended', async () => {
    const { credential, now } = await keepLogin()
    const later = now + 3600
    const message =
      'The access token has expired, and whether the login can be renewed shows only when it is.'
    expect(await runJson('status --verify --json', later)).toEqual({
      exitCode: 5,
      stderr: '',
      json: statusOf(home, credential, later, {
        ...unknownTo(message, 'not_verifiable', 'codex-auth refresh'),
        expiring: true,
      }),
    })
    expect([...issuer.requests, ...backend.requests]).toEqual([])
  })

  test('asks nobody where nobody is signed in', async () => {
    expect(await runJson('status --verify --json')).toEqual({
      exitCode: 4,
      stderr: '',
      json: statusWithoutLogin(home, {}),
    })
  })

  test('asks about the token in the environment', async () => {
    const { accessToken } = issuer.issueLogin()
    const env = { CODEX_AUTH_TOKEN: accessToken }
    expect(await home.run('status --verify', { env })).toMatchObject({ exitCode: 0 })
    issuer.behaviour.clockOffset = 7200
    const { exitCode, stdout } = await home.run('status --verify', { env })
    expect({ exitCode, next: stdout.split('\n').at(-2) }).toEqual({
      exitCode: 4,
      next: '  Next         put a new one into CODEX_AUTH_TOKEN, or unset it',
    })
  })

  test('of an API key lists models', async () => {
    const { credential } = await keepLogin({ method: 'api_key', refreshToken: undefined })
    await home.run(`config set openai_base_url ${backend.openaiBaseUrl}`)
    expect(await home.run('status --verify')).toMatchObject({ exitCode: 0 })
    await home.keep({ ...credential, accessToken: 'sk-0123456789abcdef0123456789' })
    const { exitCode, stdout } = await home.run('status --verify')
    expect({ exitCode, end: stdout.split('\n').slice(-3) }).toEqual({
      exitCode: 4,
      end: ['  Problem      The provider refuses the API key.', '  Next         codex-auth login', ''],
    })
    expect(backend.requests.map(({ path }) => path)).toEqual(['/v1/models', '/v1/models'])
  })

  test('with --all asks about each, and ends with the worst', async () => {
    const { now } = await keepLogin()
    const { credential } = await keepLogin({}, 'revoked')
    await keepLogin({ expiresAt: now, refreshToken: undefined }, 'over')
    issuer.endLogin(credential.refreshToken ?? '')
    const { exitCode, json } = await runJson('status --all --verify --json', now)
    expect({ exitCode, json }).toMatchObject({
      exitCode: 4,
      json: {
        profiles: [
          { profile: 'default', state: 'valid', verification: 'valid' },
          { profile: 'over', state: 'dead', verification: null },
          { profile: 'revoked', state: 'dead', verification: 'refused' },
        ],
      },
    })
  })
})
