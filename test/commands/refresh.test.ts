import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { failed, failedInWords, statusOf, timestamp } from '../support/expected-output.ts'
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

/** Stores a login whose access token lives an hour from `now` on. */
async function keepLogin(overrides = {}) {
  const login = issuer.issueLogin(overrides)
  const credential = credentialOf(login)
  await home.keep(credential)
  return { login, credential, now: login.issuedAt }
}

function stored(): string {
  return readFileSync(home.credentialFile(), 'latin1')
}

describe('refresh', () => {
  test('refreshes a token however long it lives, and says so to the person only', async () => {
    const { login, now } = await keepLogin()
    expect(await home.run('refresh', { now })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Refreshed; it lives 1 h.\n',
    })
    expect(issuer.requests.map(({ parameters }) => parameters)).toEqual([
      {
        client_id: issuer.clientId,
        grant_type: 'refresh_token',
        refresh_reason: 'forced',
        refresh_token: login.refreshToken,
      },
    ])
    expect({
      old: issuer.accepts(login.refreshToken),
      new: issuer.accepts(home.kept()?.refreshToken ?? ''),
    }).toEqual({ old: false, new: true })
  })

  test('prints the fields of status with --json', async () => {
    const { credential, now } = await keepLogin()
    const { stdout, ...rest } = await home.run('--quiet refresh --json', { now: now + 30 })
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    const { expiresAt } = home.kept() ?? {}
    expect(JSON.parse(stdout)).toEqual({
      ...statusOf(home, { ...credential, expiresAt }, now + 30),
      refreshed_at: timestamp(now + 30),
      refreshed: true,
    })
  })

  test('keeps what the answer does not mention', async () => {
    const { credential, now } = await keepLogin()
    issuer.behaviour.rotate = false
    issuer.nextAnswers.push(answers.without('id_token', 'scope', 'token_type'))
    await home.run('refresh', { now })
    const { accessToken, expiresAt, ...kept } = home.kept() ?? credential
    const { accessToken: old, expiresAt: end, ...before } = credential
    expect(kept).toEqual({ ...before, refreshedAt: now })
    expect(accessToken).not.toBe(old)
    expect(expiresAt).toBeGreaterThanOrEqual(end ?? Infinity)
  })

  test('goes to the issuer and the client that the login came from', async () => {
    const other = await startFakeIssuer({ clientId: 'my-client' })
    await home.keep(credentialOf(other.issueLogin()), 'other')
    expect(await home.run('refresh --profile other')).toMatchObject({ exitCode: 0 })
    expect({ here: issuer.refreshes, there: other.refreshes }).toEqual({ here: 0, there: 1 })
    await other.close()
  })

  test('needs a login', async () => {
    expect(await home.run('refresh --json')).toEqual(
      failed({
        code: 'login_required',
        exit_code: 4,
        message: 'Nobody is signed in to the profile "default".',
        next_step: 'codex-auth login',
      }),
    )
  })

  test.each([
    ['chatgpt', 'This login has no refresh token, so it cannot be refreshed.'],
    ['api_key', 'An API key cannot be refreshed.'],
  ] as const)('needs a refresh token (%s)', async (method, message) => {
    const login = credentialOf(issuer.issueLogin())
    await home.keep({ ...login, method, refreshToken: undefined })
    const before = stored()
    expect(await home.run('refresh')).toEqual(
      failedInWords({ exit_code: 4, message, next_step: 'codex-auth login' }),
    )
    expect({ after: stored(), requests: issuer.requests }).toEqual({ after: before, requests: [] })
  })
})

describe('refresh --if-expiring', () => {
  test('does nothing while the token lives so long', async () => {
    const { credential, now } = await keepLogin()
    const before = stored()
    const { stdout, ...rest } = await home.run('refresh --if-expiring 1h --json', { now })
    expect(rest).toEqual({ exitCode: 0, stderr: 'The access token is not expiring; it lives 1 h.\n' })
    expect(JSON.parse(stdout)).toEqual({ ...statusOf(home, credential, now), refreshed: false })
    expect({ after: stored(), requests: issuer.requests }).toEqual({ after: before, requests: [] })
  })

  test('refreshes it when it lives a second less', async () => {
    const { now } = await keepLogin()
    expect(await home.run('refresh --if-expiring 3601', { now })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Refreshed; it lives 1 h.\n',
    })
    expect(issuer.refreshes).toBe(1)
  })

  test('does not hide that the provider will not renew the login', async () => {
    const { credential, now } = await keepLogin()
    await home.keep({ ...credential, refusal: { reason: 'revoked', at: now } })
    expect(await home.run('refresh --if-expiring 1m', { now })).toMatchObject({ exitCode: 4, stdout: '' })
  })
})

describe('refresh --if-generation, as this program calls itself', () => {
  test('refreshes the credential that was seen, before its time', async () => {
    const { now } = await keepLogin()
    const generation = home.store.read('default')?.generation
    expect(await home.run(`refresh --if-generation ${generation}`, { now })).toMatchObject({ exitCode: 0 })
    expect(issuer.requests.map(({ parameters }) => parameters?.['refresh_reason'])).toEqual([
      'proactive_expiry',
    ])
  })

  test('leaves one alone that has come since', async () => {
    const { credential, now } = await keepLogin()
    const generation = home.store.read('default')?.generation
    await home.keep(credential)
    expect(await home.run(`refresh --if-generation ${generation}`, { now })).toMatchObject({ exitCode: 0 })
    expect(issuer.requests).toEqual([])
  })
})

describe('a refusal', () => {
  const refusals: [string, string, () => Promise<unknown>][] = [
    [
      'expired',
      'its refresh token has expired',
      async () => {
        await keepLogin({ refreshTokenLifetime: -1 })
      },
    ],
    [
      'reused',
      'its refresh token had already been used',
      async () => {
        const { credential } = await keepLogin()
        await home.keep(credential, 'copy')
        await home.run('refresh --profile copy')
      },
    ],
    [
      'revoked',
      'its refresh token was revoked',
      async () => {
        const { login } = await keepLogin()
        issuer.endLogin(login.refreshToken)
      },
    ],
    [
      'rejected',
      'its refresh token was rejected',
      async () => {
        const { credential } = await keepLogin()
        await home.keep({ ...credential, refreshToken: 'rt_nobody-knows-this-one' })
      },
    ],
  ]

  test.each(refusals)('(%s) is told, remembered and never asked for again', async (reason, why, prepare) => {
    await prepare()
    const before = home.kept()
    const asked = issuer.refreshes
    const now = Math.floor(Date.now() / 1000)
    const failure = {
      code: 'login_required',
      exit_code: 4,
      message: `The provider does not renew this login any more: ${why} (${timestamp(now)}).`,
      next_step: 'codex-auth login',
    }
    expect(await home.run('refresh', { now })).toEqual(failedInWords(failure))
    expect(home.kept()).toEqual({ ...before, refusal: { reason, at: now } })

    const remembered = stored()
    const later = { now: now + 90 }
    expect(await home.run('refresh --json', later)).toEqual(failed(failure))
    expect(await home.run('refresh --if-expiring 1m', later)).toEqual(failedInWords(failure))
    expect(await home.run('token', later)).toEqual(failedInWords(failure))
    expect(await home.run('token --no-refresh --json', later)).toEqual(failed(failure))
    const { stdout, exitCode } = await home.run('status --json', later)
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
      exitCode: 4,
      state: 'dead',
      usable: false,
      refreshable: false,
      reason,
      message: failure.message,
      next_step: failure.next_step,
    })
    expect({ asked: issuer.refreshes, stored: stored() }).toEqual({ asked: asked + 1, stored: remembered })
  })
})

describe('a failure that passes', () => {
  const next = 'try again in a moment; what is stored has not changed'
  const portal = 'check for a proxy or captive portal and try again; what is stored has not changed'
  const network = 'check the network and try again; what is stored has not changed'

  test.each([
    ['500', answers.json(500, {}), 'HOST answered 500.', next],
    ['502 with a page', answers.html(502), 'HOST answered 502.', next],
    ['503', answers.unavailable('7'), 'HOST answered 503.', next],
    ['429', answers.rateLimited('7'), 'HOST answered 429: no more requests for 7 s.', next],
    ['403 with a page', answers.html(403), 'HOST answered 403.', next],
    ['401 that names no reason', answers.json(401, {}), 'HOST answered 401.', next],
    [
      'a request it calls wrong',
      answers.json(400, { error: 'invalid_request' }),
      'HOST answered 400 (invalid_request).',
      next,
    ],
    [
      'a client it does not know',
      answers.json(401, { error: 'invalid_client' }),
      'HOST answered 401 (invalid_client).',
      next,
    ],
    [
      'invalid_grant of a server that is not well',
      answers.json(500, { error: 'invalid_grant' }),
      'HOST answered 500 (invalid_grant).',
      next,
    ],
    [
      'a page of a captive portal',
      answers.html(200),
      'HOST answered 200 with text/html, which is not JSON.',
      portal,
    ],
    ['nothing', answers.empty(), 'HOST answered 200 with something that is not JSON.', portal],
    ['half a JSON text', answers.notJson(), 'HOST answered 200 with something that is not JSON.', portal],
    ['a list', answers.jsonArray(), 'HOST answered 200 with something that is not JSON.', portal],
    [
      'no access token',
      answers.json(200, { token_type: 'Bearer' }),
      'HOST answered 200 with nothing of what was asked for.',
      portal,
    ],
    [
      'a redirect',
      answers.redirect(307, 'http://127.0.0.1:9/'),
      'HOST answered 307, a redirect, which is never followed.',
      portal,
    ],
    [
      'more than it can be',
      answers.huge(),
      'HOST answered 200 with more than a token answer can be.',
      portal,
    ],
    [
      'the end of the connection',
      answers.hangUpUnread,
      'The connection to HOST was lost before its answer was complete (ECONNRESET).',
      network,
    ],
  ])(
    '(%s) leaves every byte of the file, and the next call goes on',
    async (_, answer, message, nextStep) => {
      const { now } = await keepLogin()
      const before = stored()
      issuer.nextAnswers.push(answer)
      expect(await home.run('refresh --json', { now })).toEqual(
        failed({
          code: 'provider_unavailable',
          exit_code: 5,
          message: message.replace('HOST', host),
          next_step: nextStep,
        }),
      )
      expect({ after: stored(), sent: issuer.requests.length }).toEqual({ after: before, sent: 1 })
      expect(await home.run('refresh', { now })).toMatchObject({ exitCode: 0 })
    },
  )

  test('(nobody listens) leaves every byte of the file', async () => {
    const { now } = await keepLogin()
    const before = stored()
    await issuer.close()
    expect(await home.run('refresh', { now })).toEqual(
      failedInWords({
        exit_code: 5,
        message: `${host} could not be reached (ECONNREFUSED).`,
        next_step: network,
      }),
    )
    expect(stored()).toBe(before)
  })
})

describe('while another process asks for an API key', () => {
  test('a call waits for it, and then refreshes all the same', async () => {
    const { login, now } = await keepLogin()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const asking = home.start('token --kind api-key', { now })
    await held.arrived
    const refreshing = home.start('refresh', { now, terminal: true })
    await refreshing.says(/Waiting for/)
    held.release()
    await asking.ended
    expect((await refreshing.ended).stderr).toMatch(/\nRefreshed; it lives 1 h\.\n$/)
    const { mintedApiKey, refreshToken } = home.kept() ?? {}
    expect([mintedApiKey !== undefined, refreshToken !== login.refreshToken]).toEqual([true, true])
  })
})

describe('while another process refreshes', () => {
  test('a second call takes over what the first one brought', async () => {
    const { now } = await keepLogin()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const first = home.start('refresh', { now })
    await held.arrived
    const silent = home.start('refresh --no-input', { now, terminal: true })
    const second = home.start('refresh', { now, terminal: true })
    const [notice] = await second.says(/^Waiting for .*\n/)
    expect(notice).toMatch(/^Waiting for \S.*, pid \d+, since \d\d:\d\d:\d\d, \(1 s\) …\n$/)
    held.release()
    expect(await first.ended).toEqual({ exitCode: 0, stdout: '', stderr: 'Refreshed; it lives 1 h.\n' })
    expect(await second.ended).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringMatching(
        /^(Waiting for .* …\n)+Another process has just refreshed; it lives 1 h\.\n$/,
      ),
    })
    expect(await silent.ended).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Another process has just refreshed; it lives 1 h.\n',
    })
    expect(issuer.refreshes).toBe(1)
  })

  test('a call ends with 7 when it may not wait longer', async () => {
    const { now } = await keepLogin()
    await home.run('config set lock_wait 0')
    const { stdout, stderr, exitCode } = await home.store.exclusively('default', {
      work: () => home.run('refresh --json', { now }),
    })
    const { error } = JSON.parse(stdout) as { error: { message: string; next_step: string } }
    expect({ exitCode, ...error }).toEqual({
      exitCode: 7,
      code: 'store_unwritable',
      exit_code: 7,
      message: expect.stringMatching(
        /^The lock \S+\/default\.lock is held by process \d+ \(.*\) since \S+\.$/,
      ),
      next_step: expect.stringMatching(/^Try again when process \d+ has ended\.$/),
    })
    expect(stderr).toBe(`codex-auth: ${error.message}\n  Next: ${error.next_step}\n`)
    expect(issuer.requests).toEqual([])
  })

  test.each([
    ['interrupted', 130, 'Interrupted.'],
    ['terminated', 143, 'Ended by SIGTERM.'],
  ] as const)('a call that waits ends at once when it is %s', async (code, exitCode, message) => {
    const { now } = await keepLogin()
    const signal = new AbortController()
    const ended = await home.store.exclusively('default', {
      work: () => {
        const waiting = home.start('refresh --json', { now, interruption: signal.signal })
        signal.abort(new AuthError(code, message))
        return waiting.ended
      },
    })
    expect(ended).toEqual(failed({ code, exit_code: exitCode, message, next_step: 'run the command again' }))
    expect(issuer.requests).toEqual([])
  })

  test.each(['refresh --json', 'token --min-ttl 2h --json'])(
    'a signal does not lose the answer to a refresh token that was sent, and is obeyed then (%s)',
    async (words) => {
      const { login, now } = await keepLogin()
      const signal = new AbortController()
      const held = hold()
      issuer.nextAnswers.push(held.answer)
      const refreshing = home.start(words, { now: now + 600, interruption: signal.signal })
      await held.arrived
      signal.abort(new AuthError('interrupted', 'Interrupted.'))
      held.release()
      const interrupted = { code: 'interrupted', exit_code: 130, message: 'Interrupted.' }
      expect(await refreshing.ended).toEqual(failed({ ...interrupted, next_step: 'run the command again' }))
      expect(home.kept()?.refreshToken).not.toBe(login.refreshToken)
      expect(issuer.accepts(home.kept()?.refreshToken ?? '')).toBe(true)
    },
  )
})
