import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failedInWords } from '../support/expected-output.ts'
import { answers, credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

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

async function keepLogin(changes = {}, life = 3600) {
  const login = issuer.issueLogin({ accessTokenLifetime: life })
  await home.keep({ ...credentialOf(login), ...changes })
  return login
}

function anHourLater(): number {
  return Date.now() / 1000 + 4000
}

const LIVING_KEY =
  'codex-auth: warning: the API key of the login that is gone here still works; ' +
  'delete it at https://platform.openai.com/api-keys.\n'
const OTHERWISE =
  'use the access token (codex-auth token), or a key from https://platform.openai.com/api-keys'

describe('token --kind api-key', () => {
  test('asks for one key, stores it with the login, and prints it from then on', async () => {
    const login = await keepLogin()
    const first = await home.run('token --kind api-key')
    const kept = home.kept()
    expect(first).toEqual({ exitCode: 0, stdout: `${kept?.mintedApiKey}\n`, stderr: '' })
    expect(kept).toEqual({ ...credentialOf(login), mintedApiKey: expect.stringMatching(/^sk-proj-/) })
    expect(await home.run('token --kind api-key --no-refresh')).toEqual(first)
    expect(
      issuer.requests.map(({ path, contentType, parameters }) => ({ path, contentType, parameters })),
    ).toEqual([
      {
        path: '/oauth/token',
        contentType: 'application/x-www-form-urlencoded',
        parameters: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          client_id: issuer.clientId,
          requested_token: 'openai-api-key',
          subject_token: login.idToken,
          subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        },
      },
    ])
  })

  test('prints it for a program with the place where it is accepted', async () => {
    await keepLogin()
    const { stdout, ...rest } = await home.run('token --kind api-key --json --min-ttl 30d')
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      access_token: home.kept()?.mintedApiKey,
      token_type: 'Bearer',
      expires_at: null,
      expires_in: null,
      account_id: 'account-1',
      base_url: 'https://api.openai.com/v1',
      profile: 'default',
    })
  })

  test('asks once for any number of calls at the same time', async () => {
    await keepLogin()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const calls = Array.from({ length: 6 }, () => home.run('token --kind api-key'))
    await held.arrived
    held.release()
    const ended = await Promise.all(calls)
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1)
    expect({ asked: issuer.apiKeys, codes: ended.map(({ exitCode }) => exitCode) }).toEqual({
      asked: 1,
      codes: Array(6).fill(0),
    })
  })

  test('leaves the access token as it is, and a refresh leaves the key', async () => {
    const { accessToken } = await keepLogin()
    const { stdout: key } = await home.run('token --kind api-key')
    expect(await home.run('token')).toMatchObject({ stdout: `${accessToken}\n` })
    expect(await home.run('refresh')).toMatchObject({ exitCode: 0 })
    expect(await home.run('token --kind api-key')).toMatchObject({ stdout: key })
    expect(issuer.apiKeys).toBe(1)
  })

  test('renews an id token that has expired', async () => {
    await keepLogin()
    issuer.behaviour.clockOffset = 4000
    expect(await home.run('token --kind api-key', { now: anHourLater })).toMatchObject({ exitCode: 0 })
    expect({ refreshes: issuer.refreshes, apiKeys: issuer.apiKeys }).toEqual({ refreshes: 1, apiKeys: 1 })
  })

  test.each([
    ['in a word', answers.json(400, { error: 'invalid_subject_token' }), ' (invalid_subject_token)'],
    [
      'in an object',
      answers.json(401, { error: { message: 'Missing organization_id', code: 'missing_organization' } }),
      ' (missing_organization)',
    ],
  ])('says that the provider refuses, %s, and the login stays', async (_, answer, code) => {
    const login = await keepLogin()
    issuer.nextAnswers.push(answer)
    expect(await home.run('token --kind api-key')).toEqual(
      failedInWords({
        exit_code: 4,
        message: `${host} gives this login no API key${code}.`,
        next_step: OTHERWISE,
      }),
    )
    expect(home.kept()).toEqual(credentialOf(login))
    expect(await home.run('token')).toMatchObject({ exitCode: 0, stdout: `${login.accessToken}\n` })
  })

  test.each([
    ['an outage', answers.json(502, {}), 'answered 502.'],
    ["a proxy's page", answers.html(403), 'answered 403.'],
    ['too many requests', answers.rateLimited('9'), 'answered 429: no more requests for 9 s.'],
    ['an answer without a key', answers.json(200, {}), 'answered 200 with nothing of what was asked for.'],
    [
      'a key that is no word',
      answers.json(200, { access_token: 'a b' }),
      'answered 200 with nothing of what was asked for.',
    ],
  ])('says what passes by itself: %s', async (_, answer, what) => {
    const login = await keepLogin()
    issuer.nextAnswers.push(answer)
    const { exitCode, stdout, stderr } = await home.run('token --kind api-key')
    expect({ exitCode, stdout, first: stderr.split('\n')[0] }).toEqual({
      exitCode: 5,
      stdout: '',
      first: `codex-auth: ${host} ${what}`,
    })
    expect(home.kept()).toEqual(credentialOf(login))
  })

  test('is no use at another provider', async () => {
    await keepLogin({ provider: 'oidc', method: 'oauth' })
    expect(await home.run('token --kind api-key')).toEqual(
      failedInWords({
        exit_code: 2,
        message: `Only a login at OpenAI can have an API key; this one is at ${issuer.issuer}.`,
        next_step: 'use the access token: codex-auth token',
      }),
    )
  })

  test('prints a key that was given by hand', async () => {
    const { accessToken } = await keepLogin({ method: 'api_key', refreshToken: undefined })
    expect(await home.run('token --kind api-key')).toEqual({
      exitCode: 0,
      stdout: `${accessToken}\n`,
      stderr: '',
    })
  })

  test('is told by status', async () => {
    await keepLogin()
    await home.run('token --kind api-key')
    const { stdout } = await home.run('status')
    expect(stdout).toContain('  API key      stored, too: codex-auth token --kind api-key\n')
    expect(JSON.parse((await home.run('status --json')).stdout)).toMatchObject({ minted_api_key: true })
  })

  test('stays good after a logout, which says so', async () => {
    await keepLogin()
    await home.run('token --kind api-key')
    expect(await home.run('logout --json --quiet')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('"api_key_remains":true'),
      stderr: LIVING_KEY,
    })
  })

  test('stays good after its profile is removed, which says so', async () => {
    await keepLogin()
    await home.run('token --kind api-key')
    expect(await home.run('profile remove default --quiet')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: LIVING_KEY,
    })
  })

  test('is one of two kinds', async () => {
    expect(await home.run('token --kind key')).toEqual(
      failedInWords({
        exit_code: 2,
        message:
          "Option '--kind <kind>' argument 'key' is invalid. Allowed choices are access-token, api-key.",
        next_step: 'codex-auth token --help',
      }),
    )
  })
})
