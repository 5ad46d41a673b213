import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommandToRun } from '../../src/core/ports.ts'
import { AuthError } from '../../src/errors.ts'
import { answers, credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { failed, failedInWords, timestamp } from '../support/expected-output.ts'
import { temporaryHome, type Home, type RunOptions, type Words } from '../support/fake-surroundings.ts'

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

async function keepLogin({ age = 0, profile = 'default' } = {}) {
  const login = issuer.issueLogin()
  await home.keep(credentialOf(login), profile)
  issuer.behaviour.clockOffset = age
  return { token: login.accessToken, until: timestamp(login.expiresAt), now: login.issuedAt + age }
}

/** Runs it, with a command that ends with this, and tells what was run. */
async function runExec(words: Words, options: RunOptions = {}, exitCode = 0) {
  const commands: CommandToRun[] = []
  const runCommand = async (command: CommandToRun): Promise<number> => {
    commands.push(command)
    return exitCode
  }
  return { ended: await home.run(words, { ...options, runCommand }), commands }
}

describe('exec', () => {
  test('runs the command as it was written, with the token and what is known of it in its environment', async () => {
    const { token, until, now } = await keepLogin()
    const env = { PATH: '/bin', OPENAI_API_KEY: 'another', OPENAI_BASE_URL: 'https://gateway.example' }
    const words = ['exec', '--', 'curl', '--json', '{"a": "$b"}', '--profile', '--', '']
    const { ended, commands } = await runExec(words, { now, env })
    expect(ended).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(commands).toEqual([
      {
        file: 'curl',
        args: ['--json', '{"a": "$b"}', '--profile', '--', ''],
        env: {
          PATH: '/bin',
          CODEX_AUTH_HOME: home.path,
          CODEX_AUTH_PROFILE: 'default',
          OPENAI_API_KEY: token,
          OPENAI_BASE_URL: CHATGPT,
          CODEX_AUTH_ACCOUNT_ID: 'account-1',
          CODEX_AUTH_EXPIRES_AT: until,
        },
      },
    ])
  })

  test('has the token in another variable, and leaves OPENAI_API_KEY alone, with --env', async () => {
    const { token, now } = await keepLogin()
    const { commands } = await runExec('exec --env MY_TOKEN env', { now, env: { OPENAI_API_KEY: 'mine' } })
    expect(commands[0]?.env).toMatchObject({ MY_TOKEN: token, OPENAI_API_KEY: 'mine' })
  })

  test('uses the profile that is named, and names it to the command', async () => {
    await keepLogin()
    const { token, now } = await keepLogin({ profile: 'work' })
    const env = { CODEX_AUTH_PROFILE: 'default' }
    const { commands } = await runExec('exec --profile work env', { now, env })
    expect(commands[0]?.env).toMatchObject({ OPENAI_API_KEY: token, CODEX_AUTH_PROFILE: 'work' })
  })

  test('keeps the passphrase of the store to itself, and hands on where it can be had', async () => {
    const { now } = await keepLogin()
    const CODEX_AUTH_PASSPHRASE_FILE = '/run/secrets/passphrase'
    const env = { CODEX_AUTH_PASSPHRASE: 'correct horse', CODEX_AUTH_PASSPHRASE_FILE }
    const { commands } = await runExec('exec env', { now, env })
    expect(Object.keys(commands[0]?.env ?? {})).not.toContain('CODEX_AUTH_PASSPHRASE')
    expect(commands[0]?.env).toMatchObject({ CODEX_AUTH_PASSPHRASE_FILE })
  })

  test('gives on what CODEX_AUTH_TOKEN holds, which a command below it finds as well', async () => {
    const CODEX_AUTH_TOKEN = 'sk-given'
    const { commands } = await runExec('exec env', { env: { CODEX_AUTH_TOKEN } })
    expect(commands[0]?.env).toMatchObject({
      CODEX_AUTH_TOKEN,
      OPENAI_API_KEY: CODEX_AUTH_TOKEN,
      OPENAI_BASE_URL: 'https://api.openai.com/v1',
      CODEX_AUTH_ACCOUNT_ID: undefined,
      CODEX_AUTH_EXPIRES_AT: undefined,
    })
  })

  test('refreshes first when the token is about to end', async () => {
    const { token, now } = await keepLogin({ age: 3301 })
    const { commands } = await runExec('exec env', { now })
    expect(commands[0]?.env['OPENAI_API_KEY']).toBe(home.kept()?.accessToken)
    expect(home.kept()?.accessToken).not.toBe(token)
  })

  test('runs the command with the token that lives, and one warning, when the provider cannot be asked', async () => {
    const { token, now } = await keepLogin({ age: 3400 })
    issuer.nextAnswers.push(answers.html(502))
    const { ended, commands } = await runExec('exec env', { now })
    expect(ended.stderr).toMatch(
      /^codex-auth: warning: \S+ answered 502. The stored token still lives and is used.\n$/,
    )
    expect(commands[0]?.env['OPENAI_API_KEY']).toBe(token)
  })

  test.each([0, 1, 4, 130, 255])('ends with %d as the command does', async (exitCode) => {
    const { now } = await keepLogin()
    expect((await runExec('exec --json env', { now }, exitCode)).ended).toEqual({
      exitCode,
      stdout: '',
      stderr: '',
    })
  })

  test('ends as the command does after a signal that was passed on to it', async () => {
    const { now } = await keepLogin()
    const controller = new AbortController()
    const ended = await home.run('exec env', {
      now,
      interruption: controller.signal,
      runCommand: async () => {
        controller.abort(new AuthError('interrupted', 'Interrupted.'))
        return 17
      },
    })
    expect(ended).toEqual({ exitCode: 17, stdout: '', stderr: '' })
  })
})

describe('exec runs nothing and says why', () => {
  test('when there is no login', async () => {
    const failure = {
      code: 'login_required',
      exit_code: 4,
      message: 'Nobody is signed in to the profile "default".',
      next_step: 'codex-auth login',
    }
    expect(await home.run('exec env')).toEqual(failedInWords(failure))
    expect(await home.run('exec --json -- env')).toEqual(failed(failure))
  })

  test('when the token lives shorter than --min-ttl asks, also after a refresh', async () => {
    const { now } = await keepLogin({ age: 1800 })
    expect(await home.run('exec --min-ttl 2h --json env', { now })).toEqual(
      failed({
        code: 'short_lived',
        exit_code: 3,
        message: 'The access token lives shorter than --min-ttl asked; nothing was run.',
        next_step: 'ask for less with --min-ttl, or leave it out',
      }),
    )
    expect(issuer.refreshes).toBe(1)
  })

  test('when a signal came before', async () => {
    const { now } = await keepLogin()
    const interruption = AbortSignal.abort(new AuthError('terminated', 'Ended by SIGTERM.'))
    expect(await home.run('exec env', { now, interruption })).toEqual(
      failedInWords({ exit_code: 143, message: 'Ended by SIGTERM.', next_step: 'run the command again' }),
    )
  })

  test('when the variable can have no such name', async () => {
    expect(await home.run('exec --env A-B env')).toEqual(
      failedInWords({
        exit_code: 2,
        message: '"A-B" is not a name for the variable that holds the token.',
        next_step: 'use letters, digits and underscores, as in --env OPENAI_API_KEY',
      }),
    )
  })
})

test.each(['exec --help', 'help exec', '--profile work exec -h'])('%s explains it', async (words) => {
  const { stdout, ...rest } = await home.run(words)
  expect(rest).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: codex-auth exec \[options\] -- <command> \[arguments\.\.\.\]\n/)
})
