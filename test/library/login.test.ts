import { EventEmitter, once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { acquireLock } from '../../src/adapters/store/lock.ts'
import { accessToken, login, logout, status, type DeviceCode, type LoginOptions } from '../../src/index.ts'
import { statusOf, statusWithoutLogin } from '../support/expected-output.ts'
import { answers, credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'
import { startOpenIdProvider } from '../support/openid-provider.ts'
import { signIn } from '../support/sign-in.ts'

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

const here = () => ({ home: home.path, env: {} })

function start(options: LoginOptions = {}) {
  return login({ ...here(), issuer: issuer.issuer, ports: [0], openBrowser: false, ...options })
}

/** Signs in as soon as the address is shown. */
function withPerson(options: LoginOptions = {}) {
  return start({ onAddress: (url) => void signIn(url), ...options })
}

async function keepLogin(account?: Parameters<FakeIssuer['issueLogin']>[0]) {
  const issued = issuer.issueLogin(account)
  await home.keep(credentialOf(issued))
  return issued
}

const BOB = { email: 'bob@example.com', accountId: 'account-2', userId: 'user-2', plan: 'team' }

/** The report as the command prints it, at the same second. */
async function printed(words = 'status --json') {
  return JSON.parse((await home.run(words)).stdout)
}

/** What moves on with the clock between two reports. */
const withoutClock = ({ expires_in, ...report }: { expires_in: number | null }) => {
  expect(expires_in === null || Number.isInteger(expires_in)).toBe(true)
  return report
}

function noWindow(): never {
  throw new Error('no window')
}

describe('login', () => {
  test('shows the address, keeps what the person brings back, and says what status says', async () => {
    const shown: string[] = []
    const report = await withPerson({
      onAddress: (url) => {
        shown.push(url)
        void signIn(url)
      },
    })
    expect(withoutClock(report)).toEqual(withoutClock(await printed()))
    expect(shown).toEqual([expect.stringContaining(`${issuer.issuer}/oauth/authorize?`)])
    const { accessToken: token } = await accessToken(here())
    expect(issuer.accepts(token)).toBe(true)
  })

  test('opens the browser that the person has named', async () => {
    const browser = join(home.path, 'browser')
    const script = `#!${process.execPath}\nfetch(process.argv[2]).then((page) => page.text())\n`
    writeFileSync(browser, script, { mode: 0o755 })
    const options = { openBrowser: undefined, env: { BROWSER: browser } }
    expect(await start(options)).toMatchObject({ state: 'valid' })
  })

  test('with a device code shows the page and the code, and none of what is secret', async () => {
    issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
    const shown: DeviceCode[] = []
    const report = await start({ method: 'device_code', onCode: (code) => void shown.push(code) })
    expect(shown).toEqual([
      {
        verificationUrl: `${issuer.issuer}/codex/device`,
        verificationUrlComplete: undefined,
        userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{5}$/),
        expiresAt: expect.any(Number),
      },
    ])
    expect(report).toMatchObject({ state: 'valid', method: 'chatgpt' })
  })

  test('works at an OpenID provider', async () => {
    const provider = await startOpenIdProvider()
    onTestFinished(() => provider.close())
    const report = await login({
      ...here(),
      provider: 'oidc',
      issuer: provider.issuer,
      clientId: provider.clientId,
      scopes: ['openid', 'offline_access'],
      openBrowser: false,
      onAddress: (url) => void signIn(url),
    })
    expect(report).toMatchObject({ provider: 'oidc', method: 'oauth', scopes: ['openid', 'offline_access'] })
    home.remove(provider.secrets)
  })

  test('goes to another profile', async () => {
    expect(await withPerson({ profile: 'work' })).toMatchObject({ profile: 'work', state: 'valid' })
    expect(await status(here())).toMatchObject({ profile: 'default', state: 'none' })
  })

  test('tells of its own login, whatever CODEX_AUTH_TOKEN holds', async () => {
    const env = { CODEX_AUTH_TOKEN: 'sk-0123456789' }
    expect(await withPerson({ env })).toMatchObject({ source: 'store', method: 'chatgpt' })
  })

  test('replaces the login of another account only with force', async () => {
    await keepLogin({ account: BOB })
    await expect(withPerson()).rejects.toMatchObject({ code: 'wrong_account' })
    expect(await status(here())).toMatchObject({ account: { id: 'account-2' } })
    expect(await withPerson({ force: true })).toMatchObject({ account: { id: 'account-1' } })
  })

  test.each([[{ expectAccount: 'bob@example.com' }], [{ workspace: 'account-2' }]])(
    'is for nobody but %j',
    async (options) => {
      await expect(withPerson(options)).rejects.toMatchObject({ code: 'wrong_account' })
      expect(issuer.liveFamilies()).toBe(0)
    },
  )

  test('warns when the login before may still be alive', async () => {
    await keepLogin()
    issuer.nextRevocationAnswers.push(answers.html(500))
    const warnings: string[] = []
    await withPerson({ onWarning: (message) => void warnings.push(message) })
    expect(warnings).toEqual([
      expect.stringMatching(/^The login before is gone here, but its revocation was not confirmed: /),
    ])
  })

  test('warns when no browser could be started', async () => {
    const warnings: string[] = []
    const env = { BROWSER: '/nowhere/browser' }
    await withPerson({ openBrowser: true, env, onWarning: (message) => void warnings.push(message) })
    expect(warnings).toEqual(['No browser could be started.'])
  })

  test.each([
    ['onAddress', {}],
    ['onCode', { method: 'device_code' }],
  ] as const)('does not begin where nobody would be told: without %s', async (option, options) => {
    await expect(start(options)).rejects.toMatchObject({
      code: 'interaction_required',
      message: `Signing in needs a person, and nobody would be told where: login() was given no ${option}.`,
    })
    expect(issuer.requests).toEqual([])
  })

  test('ends with what showing the address throws', async () => {
    await expect(start({ onAddress: noWindow })).rejects.toThrow('no window')
    expect(await status(here())).toMatchObject({ state: 'none', login_in_progress: null })
  })

  test('ends when its time is over', async () => {
    await expect(start({ timeout: 0, onAddress: String })).rejects.toMatchObject({ code: 'login_timeout' })
  })

  test('ends when the port is taken by another program', async () => {
    const server = createServer().listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expect(withPerson({ ports: [port] })).rejects.toMatchObject({ code: 'no_redirect_port' })
  })

  test('ends with its signal, until when status tells of it, and leaves the login before', async () => {
    await keepLogin()
    const before = readFileSync(home.credentialFile())
    const stop = new AbortController()
    const person = new EventEmitter()
    const address = once(person, 'address')
    const ended = start({ signal: stop.signal, onAddress: () => void person.emit('address') })
    await address
    const { login_in_progress } = await status(here())
    expect(login_in_progress).toEqual({ pid: process.pid, since: expect.any(String), method: 'browser' })
    stop.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    expect(await status(here())).toMatchObject({ login_in_progress: null })
    expect(readFileSync(home.credentialFile()).equals(before)).toBe(true)
  })

  test('saves the tokens that are on their way when its signal comes', async () => {
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const ended = withPerson({ signal: stop.signal })
    await held.arrived
    stop.abort(new Error('enough'))
    held.release()
    expect(await ended).toMatchObject({ state: 'valid' })
  })
})

describe('status', () => {
  test('is what `status --json` prints', async () => {
    await keepLogin()
    const now = Math.floor(Date.now() / 1000)
    const kept = home.kept()
    if (kept === undefined) throw new Error('nothing was kept')
    expect(withoutClock(await status(here()))).toEqual(
      withoutClock(statusOf(home, kept, now) as { expires_in: number }),
    )
  })

  test('tells that nobody is signed in, and does not throw', async () => {
    expect(await status(here())).toEqual(statusWithoutLogin(home, {}))
  })

  test('tells of a token that lives too short', async () => {
    await keepLogin()
    const words = 'status --json --min-ttl 2h'
    const report = await status({ ...here(), minTtl: 7200 })
    expect(withoutClock(report)).toEqual(withoutClock(await printed(words)))
    expect(report.exit_code).toBe(3)
  })

  test('throws for a profile that cannot be one', async () => {
    await expect(status({ ...here(), profile: '../x' })).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('logout', () => {
  const LOGGED_OUT = {
    schema_version: 1,
    profile: 'default',
    state: 'none',
    removed: true,
    api_key_remains: false,
  }

  test('revokes the login and removes it', async () => {
    await keepLogin()
    expect(await logout(here())).toEqual({ ...LOGGED_OUT, revoked: true, revocation: 'revoked' })
    expect({ alive: issuer.liveFamilies(), kept: home.kept() }).toEqual({ alive: 0, kept: undefined })
  })

  test('says that nobody was signed in', async () => {
    expect(await logout(here())).toEqual({ ...LOGGED_OUT, removed: false, revoked: null, revocation: null })
  })

  test('removes it where the provider does not confirm', async () => {
    await keepLogin()
    issuer.nextRevocationAnswers.push(answers.html(500))
    expect(await logout(here())).toEqual({ ...LOGGED_OUT, revoked: false, revocation: 'unconfirmed' })
    expect(home.kept()).toBeUndefined()
  })

  test('does not tell the provider with localOnly', async () => {
    await keepLogin()
    expect(await logout({ ...here(), localOnly: true })).toEqual({
      ...LOGGED_OUT,
      revoked: null,
      revocation: null,
    })
    expect({ alive: issuer.liveFamilies(), requests: issuer.requests }).toEqual({ alive: 1, requests: [] })
  })

  test('ends with its signal while another process has the lock, and has done nothing', async () => {
    await keepLogin()
    const lock = await acquireLock(join(home.path, 'profiles/default.lock'))
    const stop = new AbortController()
    const ended = logout({ ...here(), signal: stop.signal })
    await home.run('status')
    stop.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    if ('handle' in lock) await lock.handle.release()
    expect((await status(here())).state).toBe('valid')
  })
})
