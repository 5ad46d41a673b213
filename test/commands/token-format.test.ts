import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { failed, failedInWords, timestamp } from '../support/expected-output.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

const CHATGPT = 'https://chatgpt.com/backend-api/codex'

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

async function keepLogin(changes: Partial<Credential> = {}) {
  const credential = { ...credentialOf(issuer.issueLogin()), ...changes }
  await home.keep(credential)
  return {
    token: credential.accessToken,
    until: timestamp(credential.expiresAt ?? 0),
    now: credential.obtainedAt,
  }
}

function prints(stdout: string) {
  return { exitCode: 0, stdout, stderr: '' }
}

describe('token --format', () => {
  test('raw prints the token alone', async () => {
    const { token, now } = await keepLogin()
    expect(await home.run('token --format raw', { now })).toEqual(prints(`${token}\n`))
  })

  test('json prints what --json prints, with either or both', async () => {
    const { now } = await keepLogin()
    const expected = await home.run('token --json', { now })
    expect(JSON.parse(expected.stdout)).toMatchObject({ schema_version: 1, expires_in: 3600 })
    expect(await home.run('token --format json', { now })).toEqual(expected)
    expect(await home.run('--json token --format=json', { now })).toEqual(expected)
  })

  test('header prints one header field', async () => {
    const { token, now } = await keepLogin()
    expect(await home.run('token --format header', { now })).toEqual(
      prints(`Authorization: Bearer ${token}\n`),
    )
  })

  test('env prints a statement for each variable', async () => {
    const { token, now, until } = await keepLogin()
    expect(await home.run('token --format env', { now })).toEqual(
      prints(
        `export OPENAI_API_KEY='${token}'\n` +
          `export OPENAI_BASE_URL='${CHATGPT}'\n` +
          `export CODEX_AUTH_ACCOUNT_ID='account-1'\n` +
          `export CODEX_AUTH_EXPIRES_AT='${until}'\n`,
      ),
    )
  })

  test('env has another variable and another syntax with --env and --shell', async () => {
    const { token, now } = await keepLogin()
    const { stdout } = await home.run('token --format env --env MY_TOKEN --shell fish', { now })
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      `set -gx MY_TOKEN '${token}';`,
      `set -gx OPENAI_BASE_URL '${CHATGPT}';`,
    ])
  })

  test('env takes out what is not known, but for a base address of your own', async () => {
    const nobody = { email: undefined, id: undefined, userId: undefined, plan: undefined }
    const { token } = await keepLogin({
      provider: 'oidc',
      method: 'oauth',
      expiresAt: undefined,
      account: nobody,
    })
    const others = 'unset CODEX_AUTH_ACCOUNT_ID\nunset CODEX_AUTH_EXPIRES_AT\n'
    const own = await home.run('token --format env', { env: { OPENAI_BASE_URL: 'https://gateway.example' } })
    const ours = await home.run('token --format env', { env: { OPENAI_BASE_URL: CHATGPT } })
    expect([own.stdout, ours.stdout]).toEqual([
      `export OPENAI_API_KEY='${token}'\n${others}`,
      `export OPENAI_API_KEY='${token}'\nunset OPENAI_BASE_URL\n${others}`,
    ])
  })

  test.each([
    ['client.authentication.k8s.io/v1beta1', 'client.authentication.k8s.io/v1beta1'],
    [undefined, 'client.authentication.k8s.io/v1'],
  ])('exec-credential prints an ExecCredential (%s)', async (asked, apiVersion) => {
    const { token, now, until } = await keepLogin()
    const env = asked && {
      KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion: asked, kind: 'ExecCredential' }),
    }
    const { stdout, ...rest } = await home.run('token --format exec-credential', { now, ...(env && { env }) })
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      status: { token, expirationTimestamp: until },
    })
  })

  test.each(['json', 'exec-credential'])('%s is one line, but indented on a terminal', async (format) => {
    const { now } = await keepLogin()
    const [piped, shown] = [false, true].map((stdoutIsTerminal) =>
      home.run(`token --format ${format}`, { now, stdoutIsTerminal }),
    )
    const object = JSON.parse((await piped)?.stdout ?? '')
    expect([(await piped)?.stdout, (await shown)?.stdout]).toEqual([
      `${JSON.stringify(object)}\n`,
      `${JSON.stringify(object, null, 2)}\n`,
    ])
  })

  test.each(['header', 'env', 'exec-credential'])(
    '%s prints the token and ends with 3 when it lives shorter than --min-ttl asks',
    async (format) => {
      const { token, now } = await keepLogin({ refreshToken: undefined })
      const { exitCode, stdout, stderr } = await home.run(`token --format ${format} --min-ttl 2h`, { now })
      expect({ exitCode, stderr, hasToken: stdout.includes(token) }).toEqual({
        exitCode: 3,
        stderr: 'codex-auth: warning: the access token lives 1 h, shorter than --min-ttl asked.\n',
        hasToken: true,
      })
    },
  )
})

describe('what fails', () => {
  const failure = {
    code: 'login_required',
    exit_code: 4,
    message: 'Nobody is signed in to the profile "default".',
    next_step: 'codex-auth login',
  }

  test.each(['raw', 'header', 'env', 'exec-credential'])(
    'leaves standard output empty with --format %s',
    async (format) => {
      expect(await home.run(`token --format ${format}`)).toEqual(failedInWords(failure))
    },
  )

  test('is an object with --format json, even where the rest of the line is wrong', async () => {
    expect(await home.run('token --format json')).toEqual(failed(failure))
    expect(await home.run('token --format json --nonsense')).toEqual(
      failed({
        code: 'usage',
        exit_code: 2,
        message: "Unknown option '--nonsense'.",
        next_step: 'codex-auth token --help',
      }),
    )
  })

  test.each([
    ['--json token --format env', '--json and --format env contradict each other.', 'leave one of them out'],
    ['token --format raw --json', '--json and --format raw contradict each other.', 'leave one of them out'],
    ['token --json --shell fish', '--shell only goes with --format env.', 'codex-auth token --help'],
  ])('is the call, when its flags contradict each other (%s)', async (words, message, next_step) => {
    await keepLogin()
    expect(await home.run(words)).toEqual(failed({ code: 'usage', exit_code: 2, message, next_step }))
  })

  test('is the call, when Kubernetes asks for a version that is not known, and nobody is asked for a token', async () => {
    await keepLogin({ expiresAt: 0 })
    const KUBERNETES_EXEC_INFO = JSON.stringify({ apiVersion: 'x/v2', kind: 'ExecCredential' })
    expect(await home.run('token --format exec-credential', { env: { KUBERNETES_EXEC_INFO } })).toEqual(
      failedInWords({
        exit_code: 2,
        message: 'KUBERNETES_EXEC_INFO asks for the API version "x/v2", which is not known.',
        next_step: 'use apiVersion: client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1',
      }),
    )
    expect(issuer.requests).toEqual([])
  })

  test('is no other format because of KUBERNETES_EXEC_INFO', async () => {
    const { token, now } = await keepLogin()
    expect(await home.run('token', { now, env: { KUBERNETES_EXEC_INFO: '{' } })).toEqual(prints(`${token}\n`))
  })
})
