import fs, { chmodSync, copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { acquireLock } from '../../src/adapters/store/lock.ts'
import { accessToken, type AccessTokenOptions } from '../../src/index.ts'
import { freshSecret } from '../support/credentials.ts'
import { answers, credentialOf, hold, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
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

/** A login of long ago whose access token lives so many seconds more. Resolves with that. */
async function keepLogin(lifetime = 3600, profile = 'default'): Promise<string> {
  const login = credentialOf(issuer.issueLogin({ accessTokenLifetime: lifetime }))
  await home.keep({ ...login, obtainedAt: login.obtainedAt - 3600 }, profile)
  return login.accessToken
}

const call = (options: AccessTokenOptions = {}) => accessToken({ home: home.path, env: {}, ...options })

/** What a call ends with: a token, or the code of its error. */
async function outcome(options: AccessTokenOptions = {}): Promise<string> {
  try {
    return (await call(options)).accessToken
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

/** Counts the files that are opened until the test is over. `during` is called with each path, once it is open. */
function watchOpens(during: (path: string) => void = () => undefined): string[] {
  const genuine = fs.openSync
  const opened: string[] = []
  fs.openSync = (path, ...more) => {
    const descriptor = genuine(path, ...more)
    opened.push(String(path))
    during(String(path))
    return descriptor
  }
  syncBuiltinESMExports()
  onTestFinished(() => {
    fs.openSync = genuine
    syncBuiltinESMExports()
  })
  return opened
}

describe('a token that lives', () => {
  test('comes with what `token --json` says of it', async () => {
    const now = Math.floor(Date.now() / 1000)
    const token = await keepLogin()
    expect(await call()).toEqual({
      accessToken: token,
      tokenType: 'Bearer',
      expiresAt: expect.toSatisfy((time: number) => time >= now + 3600 && time <= now + 3610),
      accountId: 'account-1',
      baseUrl: 'https://chatgpt.com/backend-api/codex',
      profile: 'default',
    })
    expect(issuer.requests).toEqual([])
  })

  test('is read from its file once', async () => {
    const token = await keepLogin()
    const opened = watchOpens()
    const tokens = new Set<string>()
    for (let calls = 0; calls < 500; calls++) tokens.add((await call()).accessToken)
    expect([...tokens]).toEqual([token])
    expect(opened.filter((path) => path === home.credentialFile()).length).toBe(1)
  })

  test.each([
    ['the option', { profile: 'work' }],
    ['the environment', { env: { CODEX_AUTH_PROFILE: 'work' } }],
  ])('is that of the profile in %s', async (_what, options) => {
    await keepLogin()
    const token = await keepLogin(3600, 'work')
    expect(await call(options)).toMatchObject({ accessToken: token, profile: 'work' })
  })

  test('is found by CODEX_AUTH_HOME as well', async () => {
    const token = await keepLogin()
    expect(await accessToken({ env: { CODEX_AUTH_HOME: home.path } })).toMatchObject({ accessToken: token })
  })

  test('of the environment wins over the stored one', async () => {
    await keepLogin()
    const given = `sk-${freshSecret('api_key')}`
    expect(await call({ env: { CODEX_AUTH_TOKEN: given } })).toEqual({
      accessToken: given,
      tokenType: 'Bearer',
      expiresAt: undefined,
      accountId: undefined,
      baseUrl: 'https://api.openai.com/v1',
      profile: 'default',
    })
  })
})

describe('a token in memory is dropped when', () => {
  test('its file is replaced', async () => {
    const first = await keepLogin()
    expect(await outcome()).toBe(first)
    const second = await keepLogin()
    expect(await outcome()).toBe(second)
  })

  test('its file is replaced while it is being read', async () => {
    const [path, later] = [home.credentialFile(), join(home.path, 'later')]
    const first = await keepLogin()
    copyFileSync(path, `${path}.first`)
    const second = await keepLogin()
    renameSync(path, later)
    renameSync(`${path}.first`, path)
    writeFileSync(join(home.path, 'profiles/default.generation'), '1\n')
    let isReplaced = false
    watchOpens((opened) => {
      if (opened !== path || isReplaced) return
      renameSync(later, path)
      isReplaced = true
    })
    expect(await outcome()).toBe(first)
    expect(await outcome()).toBe(second)
  })

  test('its file is replaced by an older copy', async () => {
    const path = home.credentialFile()
    await keepLogin()
    copyFileSync(path, `${path}.older`)
    const token = await keepLogin()
    expect(await outcome()).toBe(token)
    renameSync(`${path}.older`, path)
    expect(await outcome()).toBe('store_rolled_back')
  })

  test('its file is removed', async () => {
    const token = await keepLogin()
    expect(await outcome()).toBe(token)
    rmSync(home.credentialFile())
    expect(await outcome()).toBe('not_logged_in')
  })

  test('its file is opened to others, until that is mended', async () => {
    const token = await keepLogin()
    expect(await outcome()).toBe(token)
    chmodSync(home.credentialFile(), 0o644)
    expect(await outcome()).toBe('store_insecure')
    chmodSync(home.credentialFile(), 0o600)
    expect(await outcome()).toBe(token)
  })

  test('the settings choose another profile, or are damaged', async () => {
    const [token, other] = [await keepLogin(), await keepLogin(3600, 'work')]
    expect(await outcome()).toBe(token)
    await home.run('config set profile work --quiet')
    expect(await outcome()).toBe(other)
    writeFileSync(join(home.path, 'config.json'), '{')
    expect(await outcome()).toBe('settings_corrupt')
  })

  test('it is about to end', async () => {
    const token = await keepLogin(320)
    expect(await outcome()).toBe(token)
    expect(await outcome({ minTtl: 400 })).not.toBe(token)
    expect(issuer.refreshes).toBe(1)
  })
})

describe('a token that has ended', () => {
  test('is renewed once for 200 calls at the same time', async () => {
    await keepLogin(-60)
    const tokens = await Promise.all(Array.from({ length: 200 }, () => call()))
    const [token = ''] = [...new Set(tokens.map((found) => found.accessToken))]
    expect(new Set(tokens.map((found) => found.accessToken)).size).toBe(1)
    expect(issuer.accepts(token)).toBe(true)
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('is renewed once for calls that ask for different things', async () => {
    await keepLogin(-60)
    await Promise.all([call(), call({ minTtl: 60 }), call({ minTtl: 600 }), call({ profile: 'default' })])
    expect(issuer.refreshes).toBe(1)
  })

  test('is not renewed where that is forbidden', async () => {
    await keepLogin(-60)
    expect(await outcome({ refresh: false })).toBe('short_lived')
    expect(issuer.requests).toEqual([])
  })

  test('fails every waiting call alike, and the next one tries again', async () => {
    await keepLogin(-60)
    issuer.nextAnswers.push(answers.html(500))
    expect(await Promise.all([outcome(), outcome(), outcome()])).toEqual(
      Array.from({ length: 3 }, () => 'provider_failed'),
    )
    expect(issuer.accepts(await outcome())).toBe(true)
  })
})

test.each([
  ['nobody is signed in', {}, 'not_logged_in'],
  ['the profile is none', { profile: '../x' }, 'usage'],
  ['the key source is none', { env: { CODEX_AUTH_KEY_SOURCE: 'paper' } }, 'usage'],
])('a call fails as the command does when %s', async (_what, options, code) => {
  expect(await outcome(options)).toBe(code)
})

describe('every caller is warned', () => {
  test('when a living token is handed out because the provider cannot be asked', async () => {
    const token = await keepLogin(60)
    issuer.nextAnswers.push(answers.html(500))
    const warnings: string[] = []
    const onWarning = (message: string): void => void warnings.push(message)
    const calls = [call({ onWarning }), call({ onWarning })]
    expect((await Promise.all(calls)).map((found) => found.accessToken)).toEqual([token, token])
    const { host } = new URL(issuer.issuer)
    const warning = `${host} answered 500. The stored token still lives and is used.`
    expect(warnings).toEqual([warning, warning])
  })

  test('when a token lives shorter than was asked', async () => {
    await keepLogin(60)
    issuer.behaviour.accessTokenLifetime = 120
    const warnings: string[] = []
    await call({ minTtl: 600, onWarning: (message) => void warnings.push(message) })
    expect(warnings).toEqual([
      expect.stringMatching(/^The access token lives (?:2|1) min, shorter than was asked\.$/),
    ])
  })
})

describe('a token that a server refused', () => {
  test('is replaced by one that is stored already', async () => {
    const [before, token] = [await keepLogin(), await keepLogin()]
    expect(await outcome({ refused: before })).toBe(token)
    expect(issuer.requests).toEqual([])
  })

  test('is renewed once for all who were refused, and for those who hear of it late', async () => {
    const refused = await keepLogin()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => outcome({ refused })))
    tokens.push(await outcome({ refused }), await outcome())
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).not.toBe(refused)
    expect(issuer.refreshes).toBe(1)
  })

  test('is renewed once for calls that ask for different things', async () => {
    const refused = await keepLogin()
    const tokens = await Promise.all([outcome({ refused }), outcome({ refused, minTtl: 60 })])
    expect(new Set(tokens).size).toBe(1)
    expect(issuer.refreshes).toBe(1)
  })

  test('is not renewed where that is forbidden, and a later one is handed out', async () => {
    const refused = await keepLogin()
    expect(await outcome({ refused, refresh: false })).toBe('short_lived')
    const later = await keepLogin(60)
    expect(await outcome({ refused, refresh: false })).toBe(later)
    expect(issuer.requests).toEqual([])
  })

  test('cannot be renewed when it came from the environment', async () => {
    const refused = `sk-${freshSecret('api_key')}`
    expect(await outcome({ refused, env: { CODEX_AUTH_TOKEN: refused } })).toBe('not_refreshable')
  })
})

/** What a promise is by now, with everything done that needs no input. */
async function stateOf(promise: Promise<unknown>): Promise<'waits' | 'ended'> {
  const ended = promise.then(
    () => 'ended' as const,
    () => 'ended' as const,
  )
  // Another whole call goes through the same steps meanwhile.
  const other = home.run('status').then(() => 'waits' as const)
  return Promise.race([ended, other])
}

describe('an abort', () => {
  test('comes before anything else', async () => {
    await keepLogin()
    await expect(call({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  test('ends the wait for another process', async () => {
    await keepLogin(-60)
    const lock = await acquireLock(join(home.path, 'profiles/default.lock'))
    const stop = new AbortController()
    const waiting = call({ signal: stop.signal })
    expect(await stateOf(waiting)).toBe('waits')
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    if ('handle' in lock) await lock.handle.release()
    expect(issuer.requests).toEqual([])
    expect(issuer.accepts(await outcome())).toBe(true)
  })

  test('does not come between a sent refresh token and the saved answer', async () => {
    await keepLogin(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const both = [call({ signal: stop.signal }), call({ signal: stop.signal })]
    const ended = Promise.allSettled(both)
    await held.arrived
    stop.abort(new Error('enough'))
    expect(await stateOf(Promise.race(both))).toBe('waits')
    held.release()
    expect(await ended).toEqual(
      both.map(() => ({ status: 'rejected', reason: expect.objectContaining({ message: 'enough' }) })),
    )
    expect(issuer.accepts(home.kept()?.accessToken ?? '')).toBe(true)
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('of one caller does not end the work of the others', async () => {
    await keepLogin(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const [one, other] = [call({ signal: stop.signal }), outcome()]
    await held.arrived
    stop.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    held.release()
    expect(issuer.accepts(await other)).toBe(true)
  })

  test('of all callers leaves the next one to begin anew', async () => {
    await keepLogin(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const stop = new AbortController()
    const one = call({ signal: stop.signal })
    await held.arrived
    stop.abort(new Error('enough'))
    expect(await stateOf(one)).toBe('waits')
    const next = outcome()
    held.release()
    await expect(one).rejects.toThrow('enough')
    expect(issuer.accepts(await next)).toBe(true)
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })
})
