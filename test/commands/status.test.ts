import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import { statusOf, statusWithoutLogin, timestamp } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home, type RunOptions } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
})

afterEach(async () => {
  const { requests } = issuer
  home.remove(issuer.secrets)
  await issuer.close()
  if (requests.length > 0) throw new Error('status asked the provider')
})

async function keepLogin(changes: Partial<Credential> = {}, profile = 'default') {
  const credential = { ...credentialOf(issuer.issueLogin()), ...changes }
  await home.keep(credential, profile)
  return { credential, now: credential.obtainedAt }
}

async function runJson(words: string, options?: RunOptions) {
  const { stdout, ...rest } = await home.run(words, options)
  return { ...rest, json: JSON.parse(stdout) as unknown }
}

/** The lines that describe where a login of the fake issuer comes from and where it rests. */
function origin(profile = 'default') {
  return (
    `  Provider     ${issuer.issuer} (openai)\n` +
    '  Scopes       openid profile email offline_access\n' +
    `  Stored in    ${home.credentialFile(profile)} (sealed, key: file)\n`
  )
}

describe('status of a login', () => {
  test('that lives', async () => {
    const { credential, now } = await keepLogin()
    const until = timestamp(credential.expiresAt)
    expect(await home.run('status', { now })).toEqual({
      exitCode: 0,
      stdout:
        'default: alice@example.com (plus)\n' +
        `  Access token lives 1 h more (until ${until}), renews by itself\n` +
        origin(),
      stderr: '',
    })
    expect(await runJson('status --json', { now })).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, now),
    })
  })

  test('is one line of JSON for a program and several for a person', async () => {
    const { now } = await keepLogin()
    const program = await home.run('status --json', { now })
    const person = await home.run('status --json', { now, stdoutIsTerminal: true })
    expect(program.stdout).toBe(`${JSON.stringify(JSON.parse(person.stdout))}\n`)
    expect(person.stdout).toBe(`${JSON.stringify(JSON.parse(program.stdout), null, 2)}\n`)
  })

  test('that lives less than five minutes', async () => {
    const { credential, now } = await keepLogin()
    expect(await runJson('status --json', { now: now + 3300 })).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, now + 3300),
    })
    expect(await runJson('status --json', { now: now + 3301 })).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, now + 3301, { expiring: true }),
    })
  })

  test("that has been refreshed, by a clock that is not the provider's", async () => {
    const { credential, now } = await keepLogin({ refreshedAt: 1_800_000_000, clockSkew: -125 })
    const changes = { refreshed_at: '2027-01-15T08:00:00Z', clock_skew: -125 }
    expect(await runJson('status --json', { now })).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, now, changes),
    })
    const { stdout } = await home.run('status', { now })
    expect(stdout).toContain("  Clock        this machine's clock is 2 min ahead of the provider's\n")
  })

  test('that has ended and renews by itself', async () => {
    const { credential, now } = await keepLogin()
    const later = now + 3660
    expect(await home.run('status', { now: later })).toEqual({
      exitCode: 0,
      stdout:
        'default: alice@example.com (plus)\n' +
        '  Access token expired 1 min ago, renews by itself\n' +
        origin(),
      stderr: '',
    })
    expect(await runJson('status --json', { now: later })).toEqual({
      exitCode: 0,
      stderr: '',
      json: statusOf(home, credential, later, { state: 'expired', expiring: true }),
    })
  })

  test('that has ended and cannot be renewed', async () => {
    const { credential, now } = await keepLogin({ refreshToken: undefined })
    const later = now + 3600
    const message = 'The access token has expired, and this login cannot be renewed.'
    expect(await home.run('status', { now: later })).toEqual({
      exitCode: 4,
      stdout:
        'default: alice@example.com (plus)\n' +
        '  Access token expired 0 s ago\n' +
        origin() +
        `  Problem      ${message}\n` +
        '  Next         codex-auth login\n',
      stderr: '',
    })
    expect(await runJson('status --json', { now: later })).toEqual({
      exitCode: 4,
      stderr: '',
      json: statusOf(home, credential, later, {
        state: 'dead',
        usable: false,
        exit_code: 4,
        refreshable: false,
        expiring: true,
        reason: 'expired',
        message,
        next_step: 'codex-auth login',
      }),
    })
  })

  test.each([
    ['expired', 'its refresh token has expired'],
    ['reused', 'its refresh token had already been used'],
    ['revoked', 'its refresh token was revoked'],
    ['rejected', 'its refresh token was rejected'],
  ] as const)('that the provider will not renew (%s)', async (reason, why) => {
    const { credential, now } = await keepLogin({ refusal: { reason, at: 1_800_000_000 } }, 'work')
    const message = `The provider does not renew this login any more: ${why} (2027-01-15T08:00:00Z).`
    expect(await runJson('status --json --profile work', { now })).toEqual({
      exitCode: 4,
      stderr: '',
      json: statusOf(home, credential, now, {
        profile: 'work',
        state: 'dead',
        usable: false,
        exit_code: 4,
        refreshable: false,
        reason,
        message,
        next_step: 'codex-auth login --profile work',
        store: { path: home.credentialFile('work'), key_source: 'file' },
      }),
    })
    expect(await home.run('status --profile work', { now })).toEqual({
      exitCode: 4,
      stdout:
        'work: alice@example.com (plus)\n' +
        `  Access token lives 1 h more (until ${timestamp(credential.expiresAt)})\n` +
        origin('work') +
        `  Problem      ${message}\n` +
        '  Next         codex-auth login --profile work\n',
      stderr: '',
    })
  })

  test('that the provider has told nothing about', async () => {
    const account = { email: undefined, id: undefined, userId: undefined, plan: undefined }
    const { credential, now } = await keepLogin({
      account,
      expiresAt: undefined,
      refreshToken: undefined,
      scopes: [],
      method: 'oauth',
      provider: 'oidc',
    })
    expect(await home.run('status', { now })).toEqual({
      exitCode: 0,
      stdout:
        'default: an account the provider did not name\n' +
        '  Access token usable; nobody said until when\n' +
        `  Provider     ${issuer.issuer} (oidc)\n` +
        '  Scopes       none\n' +
        `  Stored in    ${home.credentialFile()} (sealed, key: file)\n`,
      stderr: '',
    })
    const { json } = await runJson('status --json --min-ttl 30d', { now })
    expect(json).toEqual(
      statusOf(home, { ...credential, expiresAt: now }, now, {
        method: 'oauth',
        provider: 'oidc',
        account: { email: null, id: null, user_id: null, plan: null },
        expires_at: null,
        expires_in: null,
        expiring: null,
        refreshable: false,
        scopes: [],
      }),
    )
  })
})

test('status of a profile that nobody is signed in to', async () => {
  expect(await home.run('status')).toEqual({
    exitCode: 4,
    stdout:
      'default: not signed in\n' +
      '  Problem      Nobody is signed in to the profile "default".\n' +
      '  Next         codex-auth login\n',
    stderr: '',
  })
  expect(await runJson('status --json')).toEqual({
    exitCode: 4,
    stderr: '',
    json: statusWithoutLogin(home, {}),
  })
  expect(existsSync(join(home.path, 'profiles'))).toBe(false)
})

describe('status --min-ttl', () => {
  const message = 'The access token lives shorter than --min-ttl asked.'

  test.each([
    ['lives so long', 0, '1h', 0, {}],
    ['lives shorter', 1, '60m', 3, { exit_code: 3, message, next_step: 'codex-auth refresh' }],
    [
      'has ended',
      3600,
      '0',
      3,
      { exit_code: 3, state: 'expired', expiring: true, message, next_step: 'codex-auth refresh' },
    ],
  ])('of a token that %s', async (_, age, asked, exitCode, changes) => {
    const { credential, now } = await keepLogin()
    expect(await runJson(`status --json --min-ttl ${asked}`, { now: now + age })).toEqual({
      exitCode,
      stderr: '',
      json: statusOf(home, credential, now + age, changes),
    })
  })

  test('says so in words', async () => {
    const { now } = await keepLogin()
    const { exitCode, stdout } = await home.run('status --min-ttl 2h', { now })
    expect({ exitCode, end: stdout.split('\n').slice(-3) }).toEqual({
      exitCode: 3,
      end: [`  Problem      ${message}`, '  Next         codex-auth refresh', ''],
    })
  })

  test('asks no more of a dead login than before', async () => {
    await keepLogin({ refusal: { reason: 'revoked', at: 0 } })
    expect(await runJson('status --json --min-ttl 2h')).toMatchObject({ exitCode: 4, json: { exit_code: 4 } })
  })
})

describe('status --all', () => {
  test('reports every profile, by name, and ends with the worst code', async () => {
    const work = await keepLogin({}, 'work')
    const { credential, now } = await keepLogin()
    await keepLogin({ refusal: { reason: 'reused', at: 0 } }, 'zoo')
    writeFileSync(home.credentialFile('broken'), 'nonsense', { mode: 0o600 })
    const { exitCode, stderr, json } = await runJson('status --all --json', { now })
    expect({ exitCode, stderr }).toEqual({ exitCode: 6, stderr: '' })
    expect(json).toEqual({
      schema_version: 1,
      profiles: [
        expect.objectContaining({ profile: 'broken', state: 'unreadable', exit_code: 6 }),
        statusOf(home, credential, now),
        statusOf(home, work.credential, now, {
          profile: 'work',
          store: { path: home.credentialFile('work'), key_source: 'file' },
        }),
        expect.objectContaining({ profile: 'zoo', state: 'dead', reason: 'reused', exit_code: 4 }),
      ],
    })
  })

  test('leaves an empty line between two reports', async () => {
    const { now } = await keepLogin({}, 'work')
    await keepLogin()
    const one = await home.run('status', { now })
    const other = await home.run('status --profile work', { now })
    expect(await home.run('status --all', { now })).toEqual({
      exitCode: 0,
      stdout: `${one.stdout}\n${other.stdout}`,
      stderr: '',
    })
  })

  test('of nothing is the profile in use', async () => {
    const { json, exitCode } = await runJson('status --all --json')
    expect({ exitCode, json }).toEqual({
      exitCode: 4,
      json: { schema_version: 1, profiles: [statusWithoutLogin(home, {})] },
    })
  })
})
