import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failed, failedInWords, statusOf } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
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

async function keepLogin(profile: string, changes = {}) {
  const login = issuer.issueLogin()
  const credential = { ...credentialOf(login), ...changes }
  await home.keep(credential, profile)
  return { credential, login, now: login.issuedAt }
}

function settings(): unknown {
  return JSON.parse(readFileSync(join(home.path, 'config.json'), 'utf8'))
}

/** The profile that a call without a flag works with. */
async function profileInUse(env = {}): Promise<unknown> {
  const { stdout } = await home.run('status --json', { env })
  return (JSON.parse(stdout) as { profile: unknown }).profile
}

function rows(marked: string): string {
  const states = [
    ['default', 'valid       alice@example.com'],
    ['old', 'expired     alice@example.com'],
    ['revoked', 'dead        alice@example.com'],
    ['w', 'valid       account-2'],
  ]
  return states
    .map(([name = '', rest]) => `${name === marked ? '*' : ' '} ${name.padEnd(7)}  ${rest}\n`)
    .join('')
}

describe('profile list', () => {
  test('names every profile with its state, and marks the one in use', async () => {
    const account = { email: undefined, id: 'account-2', userId: undefined, plan: undefined }
    const { now } = await keepLogin('default')
    await keepLogin('w', { account })
    await keepLogin('old', { expiresAt: now - 1 })
    await keepLogin('revoked', { refusal: { reason: 'revoked', at: now } })
    const listed = [
      await home.run('profile list', { now }),
      await home.run('profile list --profile old', { now }),
      await home.run('profile list', { now, env: { CODEX_AUTH_PROFILE: 'w' } }),
    ]
    expect(listed).toEqual(
      ['default', 'old', 'w'].map((marked) => ({ exitCode: 0, stdout: rows(marked), stderr: '' })),
    )
  })

  test('prints the status of each with --json, whatever token is in the environment', async () => {
    const { credential, now } = await keepLogin('default')
    const work = await keepLogin('work')
    const env = { CODEX_AUTH_TOKEN: 'sk-proj-0123456789abcdef' }
    const { stdout, ...rest } = await home.run('profile list --json', { now, env })
    expect({ ...rest, json: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      stderr: '',
      json: {
        schema_version: 1,
        profiles: [
          { ...statusOf(home, credential, now), current: true },
          {
            ...statusOf(home, work.credential, now, {
              profile: 'work',
              store: { path: home.credentialFile('work'), key_source: 'file' },
            }),
            current: false,
          },
        ],
      },
    })
  })

  test('says what to do where there is none', async () => {
    expect(await home.run('profile list')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'No profiles yet. Next: codex-auth login\n',
    })
    expect(await home.run('profile list --json --quiet')).toEqual({
      exitCode: 0,
      stdout: '{"schema_version":1,"profiles":[]}\n',
      stderr: '',
    })
  })
})

describe('profile use', () => {
  test('makes a profile the default, below the environment and the flag', async () => {
    await keepLogin('work')
    expect(await home.run('profile use work')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'The default profile is now "work".\n',
    })
    expect(settings()).toEqual({ profile: 'work' })
    expect(await profileInUse()).toBe('work')
    expect(await profileInUse({ CODEX_AUTH_PROFILE: 'other' })).toBe('other')
    // An empty variable is none.
    expect(await profileInUse({ CODEX_AUTH_PROFILE: '' })).toBe('work')
  })

  test('can be done before anybody signs in', async () => {
    expect(await home.run('profile use work --json')).toEqual({
      exitCode: 0,
      stdout: '{"schema_version":1,"profile":"work"}\n',
      stderr: 'The default profile is now "work". Nobody is signed in to it yet. Next: codex-auth login\n',
    })
  })

  test('needs a name that can be one', async () => {
    expect(await home.run('profile use a/b')).toEqual(
      failedInWords({
        exit_code: 2,
        message: '"a/b" is not a profile name.',
        next_step:
          'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work',
      }),
    )
    expect(readdirSync(home.path)).toEqual([])
  })
})

describe('profile remove', () => {
  test('removes the files of one profile, and does not tell the provider', async () => {
    const mine = await keepLogin('default')
    const work = await keepLogin('work')
    expect(await home.run('profile remove work')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'Removed the profile "work" here. The provider was not told, so its tokens live on until they expire.\n',
    })
    expect(readdirSync(join(home.path, 'profiles')).filter((name) => name.includes('work'))).toEqual([])
    expect({ kept: home.kept(), requests: issuer.requests }).toEqual({ kept: mine.credential, requests: [] })
    expect(issuer.accepts(work.login.refreshToken)).toBe(true)
  })

  test('prints what it did with --json', async () => {
    await keepLogin('work')
    expect(await home.run('profile remove work --json --quiet')).toEqual({
      exitCode: 0,
      stdout: '{"schema_version":1,"profile":"work","removed":true}\n',
      stderr: '',
    })
  })

  test('of the default one leaves "default" as the default', async () => {
    await keepLogin('work')
    await home.run('profile use work')
    expect(await home.run('profile remove work')).toMatchObject({ exitCode: 0 })
    expect(settings()).toEqual({})
    expect(await profileInUse()).toBe('default')
  })

  test('of another one leaves the default as it is', async () => {
    await keepLogin('work')
    await keepLogin('other')
    await home.run('profile use work')
    await home.run('profile remove other')
    expect(await profileInUse()).toBe('work')
  })

  test('needs one that is there, and names those that are', async () => {
    const missing = { code: 'usage', exit_code: 2, message: 'There is no profile "work".' }
    expect(await home.run('profile remove work --json')).toEqual(
      failed({ ...missing, next_step: 'codex-auth login' }),
    )
    await keepLogin('mine')
    await keepLogin('other')
    expect(await home.run('profile remove work --json')).toEqual(
      failed({ ...missing, next_step: 'choose one of: mine, other' }),
    )
  })
})
