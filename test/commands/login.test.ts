import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renderResultPage } from '../../src/adapters/result-page.ts'
import type { Credential } from '../../src/core/credential.ts'
import { failed, failedInWords, statusOf, timestamp, withoutOwners } from '../support/expected-output.ts'
import { credentialOf, jwt, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { fakeBrowser, temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'
import { startOpenIdProvider } from '../support/openid-provider.ts'
import { signIn } from '../support/sign-in.ts'

const ADDRESS = /^http\S+$/m
const WAITING = 'Waiting up to 5 min for the sign-in. Ctrl-C ends it and changes nothing.\n'
const SIGNED_IN = 'Signed in as alice@example.com (plus), profile "default".\n'

let issuer: FakeIssuer
let home: Home
/** A login at the fake issuer, which no browser has to be started for. */
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --issuer ${issuer.issuer} --port 0`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

async function keepLogin(changes: Partial<Credential> = {}, profile = 'default') {
  const issued = issuer.issueLogin()
  await home.keep({ ...credentialOf(issued), ...changes }, profile)
  return issued
}

/** What the program says around the address it shows. */
function withoutAddress(stderr: string): string {
  return stderr.replace(ADDRESS, 'ADDRESS')
}

/** The parameters of the address a person was sent to, without what differs each time. */
function authorizationParameters(address: string | undefined) {
  const { state, code_challenge, redirect_uri, ...parameters } = Object.fromEntries(
    new URL(address ?? '').searchParams,
  )
  expect({ state, code_challenge }).toEqual({
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
  })
  return { ...parameters, redirect_uri: redirect_uri?.replace(/\d+(?=\/)/, 'PORT') }
}

describe('login', () => {
  test('opens the browser at a terminal, and keeps what the person brings back', async () => {
    const browser = fakeBrowser()
    const now = Math.floor(Date.now() / 1000)
    const { stderr, ...rest } = await home.run(login, { terminal: true, browser, now })
    expect(rest).toEqual({ exitCode: 0, stdout: '' })
    expect(withoutAddress(stderr)).toBe(
      'Opening your browser to sign in. The address, in case it does not show:\n' +
        `\nADDRESS\n\n${WAITING}${SIGNED_IN}`,
    )
    expect(browser.opened).toEqual([ADDRESS.exec(stderr)?.[0]])
    expect(authorizationParameters(browser.opened[0])).toEqual({
      response_type: 'code',
      client_id: issuer.clientId,
      redirect_uri: 'http://localhost:PORT/auth/callback',
      code_challenge_method: 'S256',
      scope: 'openid profile email offline_access',
      id_token_add_organizations: 'true',
      codex_cli_simplified_flow: 'true',
      originator: 'codex_cli_rs',
    })
    const account = { email: 'alice@example.com', id: 'account-1', userId: 'user-1', plan: 'plus' }
    const kept = home.kept()
    expect(kept).toEqual({
      method: 'chatgpt',
      provider: 'openai',
      issuer: issuer.issuer,
      clientId: issuer.clientId,
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      refreshToken: expect.any(String),
      idToken: expect.any(String),
      expiresAt: expect.any(Number),
      obtainedAt: now,
      refreshedAt: undefined,
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      account,
      clockSkew: 0,
      refusal: undefined,
    })
    const { accessToken = '', refreshToken = '' } = kept ?? {}
    expect([issuer.accepts(accessToken), issuer.accepts(refreshToken)]).toEqual([true, true])
    const page = renderResultPage({ kind: 'signed_in', account, profile: 'default', issuer: issuer.issuer })
    expect(await browser.lastPage()).toMatchObject({ status: page.status, text: page.html })
    expect({ exchanges: issuer.exchanges, revocations: issuer.revocations }).toEqual({
      exchanges: 1,
      revocations: 0,
    })
  })

  test('prints the account with --json, and the address where a person reads', async () => {
    const now = Math.floor(Date.now() / 1000)
    const run = await home.run(`${login} --json --browser`, { browser: fakeBrowser(), now })
    expect(withoutAddress(run.stderr)).toContain(`ADDRESS\n\n${WAITING}${SIGNED_IN}`)
    const kept = home.kept()
    if (kept === undefined) throw new Error('nothing was kept')
    expect(JSON.parse(run.stdout)).toEqual(statusOf(home, kept, now))
  })

  test('only prints the address with --no-browser', async () => {
    const running = home.start(`${login} --no-browser`)
    const [address] = await running.says(ADDRESS)
    await signIn(address)
    const { stderr, ...rest } = await running.ended
    expect(rest).toEqual({ exitCode: 0, stdout: '' })
    expect(withoutAddress(stderr)).toBe(`Sign in at this address:\n\nADDRESS\n\n${WAITING}${SIGNED_IN}`)
  })

  test('only prints the address when the settings say so, unless the flag says otherwise', async () => {
    await home.run('config set browser none')
    const running = home.start(login, { terminal: true })
    await signIn((await running.says(ADDRESS))[0])
    expect(withoutAddress((await running.ended).stderr)).toMatch(/^Sign in at this address:\n/)
    const browser = fakeBrowser()
    await home.run(`${login} --browser`, { browser })
    expect(browser.opened).toHaveLength(1)
  })

  test('says nothing but the address with --quiet', async () => {
    const { stderr, ...rest } = await home.run(`${login} --browser --quiet`, { browser: fakeBrowser() })
    expect(rest).toEqual({ exitCode: 0, stdout: '' })
    expect(withoutAddress(stderr)).toBe('\nADDRESS\n\n')
  })

  test('goes on by hand when no browser could be started', async () => {
    const running = home.start(`${login} --browser`, { browser: { open: () => Promise.resolve(false) } })
    await running.says(
      /^codex-auth: warning: no browser could be started; open the address above yourself\.$/m,
    )
    await signIn((await running.says(ADDRESS))[0])
    expect(await running.ended).toMatchObject({ exitCode: 0 })
  })

  test('waits for as long as is asked, be it longer than a timer of the system can', async () => {
    const running = home.start(`${login} --no-browser --timeout 30d`)
    await running.says(/^Waiting up to 30 d for the sign-in\./m)
    await signIn((await running.says(ADDRESS))[0])
    expect(await running.ended).toMatchObject({ exitCode: 0 })
  })

  test('tells other processes that it waits, for as long as it does', async () => {
    const now = 1_800_000_000
    const running = home.start(`${login} --no-browser`, { now })
    const [address] = await running.says(ADDRESS)
    const waiting = await home.run('status --json')
    expect(JSON.parse(waiting.stdout)).toMatchObject({
      state: 'none',
      login_in_progress: { pid: process.pid, since: timestamp(now), method: 'browser' },
    })
    expect((await home.run('status')).stdout).toContain(
      `  Signing in   a sign-in is waiting (pid ${process.pid}, browser)\n`,
    )
    await signIn(address)
    await running.ended
    const over = await home.run('status --json')
    expect(JSON.parse(over.stdout)).toMatchObject({ login_in_progress: null })
  })

  test('keeps each profile to itself', async () => {
    const mine = await keepLogin()
    await home.run(`${login} --profile work --browser`, { browser: fakeBrowser() })
    expect([issuer.accepts(mine.refreshToken), issuer.revocations]).toEqual([true, 0])
    expect(home.kept()?.accessToken).toBe(mine.accessToken)
    expect(home.kept('work')?.accessToken).not.toBe(mine.accessToken)
  })

  test('warns when a token in the environment wins over it', async () => {
    const env = { CODEX_AUTH_TOKEN: 'sk-proj-0123456789abcdef' }
    const run = await home.run(`${login} --browser --json`, { browser: fakeBrowser(), env })
    expect(run.stderr).toMatch(/\ncodex-auth: warning: CODEX_AUTH_TOKEN is set and wins over this login\.\n$/)
    expect(JSON.parse(run.stdout)).toMatchObject({ state: 'valid', source: 'store' })
  })
})

describe('where login goes', () => {
  test('asks for the client and the scopes of the flags', async () => {
    const other = await startFakeIssuer({ anyRedirectPort: true, clientId: 'my-client' })
    const browser = fakeBrowser()
    const words = `login --browser --issuer ${other.issuer}/ --client-id my-client --scope openid --scope email`
    expect(await home.run(`${words} --port 0 --redirect-host 127.0.0.1`, { browser })).toMatchObject({
      exitCode: 0,
    })
    expect(authorizationParameters(browser.opened[0])).toMatchObject({
      client_id: 'my-client',
      scope: 'openid email',
      redirect_uri: 'http://127.0.0.1:PORT/auth/callback',
    })
    expect(home.kept()).toMatchObject({
      issuer: other.issuer,
      clientId: 'my-client',
      scopes: ['openid', 'email'],
    })
    await other.close()
  })

  test('is the same place when a person signs in again', async () => {
    await keepLogin()
    const browser = fakeBrowser()
    expect(await home.run('login --browser --port 0', { browser })).toMatchObject({ exitCode: 0 })
    expect(new URL(browser.opened[0] ?? '').origin).toBe(issuer.issuer)
  })

  test('is what the settings say when nothing else does', async () => {
    await home.run(`config set issuer ${issuer.issuer}`)
    await home.run('config set ports 0')
    await home.run('config set redirect_host 127.0.0.1')
    await home.run('config set scopes openid offline_access')
    const browser = fakeBrowser()
    expect(await home.run('login --browser', { browser })).toMatchObject({ exitCode: 0 })
    expect(authorizationParameters(browser.opened[0])).toMatchObject({
      scope: 'openid offline_access',
      redirect_uri: 'http://127.0.0.1:PORT/auth/callback',
    })
    // Any free port is never one of the two that are used without the setting.
    expect(browser.opened[0]).not.toMatch(/%3A145[57]%2F/)
  })

  test('comes back to the next port when the first one is taken', async () => {
    const taken = await listenOnLoopback()
    const browser = fakeBrowser()
    const words = `login --browser --issuer ${issuer.issuer} --port ${taken.port} --port 0`
    expect(await home.run(words, { browser })).toMatchObject({ exitCode: 0 })
    expect(browser.opened[0]).not.toContain(`%3A${taken.port}%2F`)
    await taken.close()
  })

  test('ends with 8 when no port is left', async () => {
    const taken = await listenOnLoopback()
    const words = `login --browser --issuer ${issuer.issuer} --port ${taken.port}`
    const { exitCode, stdout, stderr } = await home.run(`${words} --json`)
    expect({ exitCode, stdout: withoutOwners(stdout), stderr: withoutOwners(stderr) }).toEqual(
      failed({
        code: 'login_incomplete',
        exit_code: 8,
        message: `Nothing can listen for the redirect on this machine: port ${taken.port} is in use.`,
        next_step:
          'end the program that has the port, or sign in without one: codex-auth login --device-code',
      }),
    )
    await taken.close()
  })

  test('can be any OpenID provider', async () => {
    const provider = await startOpenIdProvider()
    const browser = fakeBrowser()
    const words = `login --browser --provider oidc --issuer ${provider.issuer} --client-id ${provider.clientId}`
    expect(await home.run(`${words} --quiet`, { browser })).toMatchObject({ exitCode: 0, stdout: '' })
    expect(home.kept()).toMatchObject({
      method: 'oauth',
      provider: 'oidc',
      issuer: provider.issuer,
      clientId: provider.clientId,
      account: { email: 'alice@example.com', id: 'alice', userId: 'alice', plan: undefined },
    })
    expect(await home.run('refresh --quiet')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const { accessToken } = home.kept() ?? {}
    expect(await home.run('token')).toEqual({ exitCode: 0, stdout: `${accessToken}\n`, stderr: '' })
    expect(await home.run('logout')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed out of "default": removed here and revoked at the provider.\n',
    })
    expect({ refreshes: provider.refreshes, revocations: provider.revocations }).toEqual({
      refreshes: 1,
      revocations: 1,
    })
    home.remove(provider.secrets)
    await provider.close()
  })
})

describe('login without a person', () => {
  const message = 'Signing in needs a person, and there is no terminal here.'
  const next_step = 'codex-auth login --no-browser'

  test.each([
    ['no terminal', {}],
    ['CI', { terminal: true, env: { CI: 'true' } }],
  ])('ends with 9 at once (%s)', async (_, options) => {
    const failure = { code: 'interaction_required', exit_code: 9, message, next_step }
    expect(await home.run(login, options)).toEqual(failedInWords(failure))
    expect(await home.run(`${login} --json`, options)).toEqual(failed(failure))
    expect({ requests: issuer.requests, profiles: existsSync(join(home.path, 'profiles')) }).toEqual({
      requests: [],
      profiles: false,
    })
  })

  test('names the profile in the next step', async () => {
    expect(await home.run('login --profile work')).toEqual(
      failedInWords({ exit_code: 9, message, next_step: `${next_step} --profile work` }),
    )
  })

  test.each(['', ' --browser', ' --no-browser'])(
    'ends with 9 at once with --no-input, and nothing is opened (login%s)',
    async (flag) => {
      expect(await home.run(`${login}${flag} --no-input`, { terminal: true })).toEqual(
        failedInWords({
          exit_code: 9,
          message: 'Signing in needs a person, and --no-input forbids to ask one.',
          next_step: 'leave out --no-input, or put a token into CODEX_AUTH_TOKEN',
        }),
      )
    },
  )

  test('goes on where the flag says that a person is there', async () => {
    const run = await home.run(`${login} --browser`, { env: { CI: 'true' }, browser: fakeBrowser() })
    expect(run).toMatchObject({ exitCode: 0 })
  })
})

describe('login --if-needed', () => {
  test('does nothing when a login works', async () => {
    const { issuedAt: now, expiresAt } = await keepLogin()
    const before = home.kept()
    expect(await home.run('login --if-needed', { now })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed in already as alice@example.com (plus), profile "default".\n',
    })
    expect(await home.run('login --if-needed --quiet --no-input', { now: expiresAt + 60 })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
    const json = await home.run('--quiet login --if-needed --json', { now })
    if (before === undefined) throw new Error('nothing was kept')
    expect({ ...json, stdout: JSON.parse(json.stdout) as unknown }).toEqual({
      exitCode: 0,
      stdout: statusOf(home, before, now),
      stderr: '',
    })
    expect({ kept: home.kept(), requests: issuer.requests }).toEqual({ kept: before, requests: [] })
  })

  test('does nothing when a token in the environment works', async () => {
    const email = 'bob@example.com'
    const token = jwt({ exp: 1_900_000_000, email })
    const options = { env: { CODEX_AUTH_TOKEN: token }, now: 1_800_000_000 }
    expect(await home.run('login --if-needed', options)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed in already as bob@example.com, by CODEX_AUTH_TOKEN.\n',
    })
    expect(JSON.parse((await home.run('login --if-needed --json', options)).stdout)).toMatchObject({
      exit_code: 0,
      state: 'valid',
      source: 'environment',
    })
  })

  test.each([
    ['is dead', { refusal: { reason: 'revoked', at: 0 } } as const],
    ['has ended for good', { refreshToken: undefined, expiresAt: 0 }],
  ])('signs in when the login %s', async (_, changes) => {
    await keepLogin(changes)
    expect(await home.run('login --if-needed')).toMatchObject({ exitCode: 9 })
    const run = await home.run(`${login} --if-needed --browser`, { browser: fakeBrowser() })
    expect(run).toMatchObject({ exitCode: 0 })
    expect(home.kept()).toMatchObject({ refusal: undefined, refreshToken: expect.any(String) })
    expect(await home.run('status')).toMatchObject({ exitCode: 0 })
  })
})
