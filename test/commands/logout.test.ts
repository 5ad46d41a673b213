import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { answers, credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'

let issuer: FakeIssuer
let home: Home
let host: string

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
  host = new URL(issuer.issuer).host
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

async function keepLogin(profile = 'default', changes = {}) {
  const login = issuer.issueLogin()
  await home.keep({ ...credentialOf(login), ...changes }, profile)
  return login
}

function logoutShape(changes: object = {}) {
  return {
    schema_version: 1,
    profile: 'default',
    state: 'none',
    removed: true,
    revoked: true,
    revocation: 'revoked',
    api_key_remains: false,
    ...changes,
  }
}

async function runJson(words: string) {
  const { stdout, ...rest } = await home.run(words)
  return { ...rest, json: JSON.parse(stdout) as unknown }
}

describe('logout', () => {
  test('revokes the login at the provider and removes it here', async () => {
    const login = await keepLogin()
    expect(await home.run('logout')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed out of "default": removed here and revoked at the provider.\n',
    })
    expect(issuer.requests.map(({ path, parameters }) => ({ path, parameters }))).toEqual([
      {
        path: '/oauth/revoke',
        parameters: {
          client_id: issuer.clientId,
          token: login.refreshToken,
          token_type_hint: 'refresh_token',
        },
      },
    ])
    expect({ live: issuer.liveFamilies(), file: existsSync(home.credentialFile()) }).toEqual({
      live: 0,
      file: false,
    })
    expect(await home.run('token')).toMatchObject({ exitCode: 4, stdout: '' })
  })

  test('prints what became of it with --json', async () => {
    await keepLogin('work')
    expect(await runJson('logout --json --quiet --profile work')).toEqual({
      exitCode: 0,
      stderr: '',
      json: logoutShape({ profile: 'work' }),
    })
  })

  test('revokes the access token where there is no refresh token', async () => {
    const login = await keepLogin('default', { refreshToken: undefined })
    expect(await home.run('logout')).toMatchObject({ exitCode: 0 })
    expect(issuer.requests.map(({ parameters }) => parameters)).toEqual([
      { token: login.accessToken, token_type_hint: 'access_token' },
    ])
  })

  test('removes an API key, which nobody can revoke', async () => {
    await keepLogin('default', { method: 'api_key', refreshToken: undefined })
    expect(await runJson('logout --json')).toEqual({
      exitCode: 0,
      stderr: 'Signed out of "default": removed here; there was nothing to revoke at a provider.\n',
      json: logoutShape({ revoked: null, revocation: 'not_needed' }),
    })
    expect(issuer.requests).toEqual([])
  })

  test('removes a login of a provider that cannot revoke, and says so', async () => {
    const server = await listenOnLoopback()
    const metadata = {
      issuer: server.origin,
      authorization_endpoint: `${server.origin}/authorize`,
      token_endpoint: `${server.origin}/token`,
    }
    server.serve((_, response) => response.end(JSON.stringify(metadata)))
    await keepLogin('default', { provider: 'oidc', method: 'oauth', issuer: server.origin })
    expect(await runJson('logout --json')).toEqual({
      exitCode: 0,
      stderr:
        'Signed out of "default": removed here; the provider has no revocation, so its tokens live on until they expire.\n',
      json: logoutShape({ revoked: null, revocation: 'not_supported' }),
    })
    expect(home.kept()).toBeUndefined()
    await server.close()
  })

  test('leaves the other profiles as they are', async () => {
    await keepLogin()
    const work = await keepLogin('work')
    await home.run('logout')
    expect(issuer.accepts(work.refreshToken)).toBe(true)
    expect(await home.run('token --profile work')).toMatchObject({
      exitCode: 0,
      stdout: `${work.accessToken}\n`,
    })
  })

  test('has nothing to do where nobody is signed in', async () => {
    expect(await home.run('logout')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Nobody is signed in to the profile "default"; nothing to do.\n',
    })
    expect(await runJson('logout --json --quiet')).toEqual({
      exitCode: 0,
      stderr: '',
      json: logoutShape({ removed: false, revoked: null, revocation: null }),
    })
  })
})

describe('a revocation that is not confirmed', () => {
  test.each([
    ['503', answers.unavailable('5'), 'HOST answered 503.'],
    ['429', answers.rateLimited('60'), 'HOST answered 429: no more requests for 60 s.'],
    ['a refusal', answers.json(401, { error: 'invalid_client' }), 'HOST answered 401 (invalid_client).'],
    ['a page', answers.html(403), 'HOST answered 403.'],
  ])('(%s) ends with 5, and the login is gone here all the same', async (_, answer, message) => {
    await keepLogin()
    issuer.nextRevocationAnswers.push(answer)
    const told = message.replace('HOST', host)
    expect(await runJson('logout --json')).toEqual({
      exitCode: 5,
      stderr: `codex-auth: warning: removed here, but the provider did not confirm the revocation: ${told}\n`,
      json: logoutShape({ revoked: false, revocation: 'unconfirmed' }),
    })
    expect({ asked: issuer.revocations, kept: home.kept() }).toEqual({ asked: 1, kept: undefined })
  })

  test('(nobody listens) ends with 5, and the login is gone here all the same', async () => {
    await keepLogin()
    await issuer.close()
    expect(await home.run('logout')).toEqual({
      exitCode: 5,
      stdout: '',
      stderr: `codex-auth: warning: removed here, but the provider did not confirm the revocation: ${host} could not be reached (ECONNREFUSED).\n`,
    })
    expect(home.kept()).toBeUndefined()
  })

  test('(interrupted) is not waited for, and the login is gone here all the same', async () => {
    await keepLogin()
    const held = hold()
    issuer.nextRevocationAnswers.push(held.answer)
    const signal = new AbortController()
    const running = home.start('logout --json', { interruption: signal.signal })
    await held.arrived
    signal.abort(new AuthError('interrupted', 'Interrupted.'))
    const { stdout, ...rest } = await running.ended
    expect({ ...rest, json: JSON.parse(stdout) as unknown }).toEqual({
      exitCode: 130,
      stderr:
        'codex-auth: warning: removed here, but the provider did not confirm the revocation: Interrupted.\n' +
        'codex-auth: Interrupted.\n  Next: see what has been done: codex-auth status\n',
      json: logoutShape({ revoked: false, revocation: 'unconfirmed' }),
    })
    held.release()
    expect(home.kept()).toBeUndefined()
  })
})

describe('logout --local-only', () => {
  test('tells the provider nothing', async () => {
    const login = await keepLogin()
    expect(await runJson('logout --local-only --json')).toEqual({
      exitCode: 0,
      stderr:
        'Signed out of "default": removed here; the provider was not told, so its tokens live on until they expire.\n',
      json: logoutShape({ revoked: null, revocation: null }),
    })
    expect({ requests: issuer.requests, accepted: issuer.accepts(login.refreshToken) }).toEqual({
      requests: [],
      accepted: true,
    })
    expect(home.kept()).toBeUndefined()
  })
})

describe('logout --all', () => {
  test('signs out of every profile, and ends with 5 when one revocation is not confirmed', async () => {
    await keepLogin('work')
    await keepLogin()
    issuer.nextRevocationAnswers.push(answers.unavailable('5'))
    expect(await runJson('logout --all --json')).toEqual({
      exitCode: 5,
      stderr:
        `codex-auth: warning: removed here, but the provider did not confirm the revocation: ${host} answered 503.\n` +
        'Signed out of "work": removed here and revoked at the provider.\n',
      json: {
        schema_version: 1,
        profiles: [
          logoutShape({ revoked: false, revocation: 'unconfirmed' }),
          logoutShape({ profile: 'work' }),
        ],
      },
    })
    expect(home.store.profiles()).toEqual([])
  })

  test('goes on past a profile that another process holds, and ends as that one', async () => {
    for (const profile of ['a', 'held', 'work']) await keepLogin(profile)
    await home.run('config set lock_wait 0')
    const ended = await home.store.exclusively('held', { work: () => home.run('logout --all') })
    expect(ended).toEqual({
      exitCode: 7,
      stdout: '',
      stderr: expect.stringMatching(
        /^Signed out of "a": .*\nSigned out of "work": .*\ncodex-auth: The lock \S+held\.lock is held by process .*\n {2}Next: .*\n$/,
      ),
    })
    expect(home.store.profiles()).toEqual(['held'])
  })

  test('has nothing to do where nobody is signed in', async () => {
    expect(await home.run('logout --all')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Nobody is signed in to any profile; nothing to do.\n',
    })
    expect(await runJson('logout --all --json --quiet')).toEqual({
      exitCode: 0,
      stderr: '',
      json: { schema_version: 1, profiles: [] },
    })
  })
})

test('logout says that a token from the environment outlives it', async () => {
  await keepLogin()
  expect(await home.run('logout --local-only', { env: { CODEX_AUTH_TOKEN: 'sk-proj-from-ci' } })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr:
      'Signed out of "default": removed here; the provider was not told, so its tokens live on until they expire.\n' +
      'codex-auth: warning: CODEX_AUTH_TOKEN is set, and its token goes on working until you unset it.\n',
  })
})

test('logout ends with 7 and removes nothing when the profile belongs to another process for too long', async () => {
  await keepLogin()
  await home.run('config set lock_wait 0')
  const ended = await home.store.exclusively('default', { work: () => home.run('logout') })
  expect(ended).toEqual({
    exitCode: 7,
    stdout: '',
    stderr: expect.stringMatching(/^codex-auth: The lock \S+ is held by process \d+ .*\n {2}Next: .*\n$/),
  })
  expect({ requests: issuer.requests, kept: home.kept() === undefined }).toEqual({
    requests: [],
    kept: false,
  })
})
