import { describe, expect, it } from 'vitest'
import type { DeviceAnswer, DeviceAuthorization, Provider } from '../../../src/core/ports.ts'
import { answers, hold, type FakeIssuer, type ScriptedAnswer } from '../../support/fake-issuer.ts'
import { rejection, told } from './faults.ts'
import { now, openOpenAi, startOpenAi } from './openai-at-fake-issuer.ts'

const never = new AbortController().signal
const hostOf = ({ issuer }: FakeIssuer): string => new URL(issuer).host

interface Started {
  readonly issuer: FakeIssuer
  readonly provider: Provider
  readonly authorization: DeviceAuthorization
}

/** With a device code; its first answers are these, unless told. */
async function start(device: Partial<FakeIssuer['behaviour']['device']> = {}): Promise<Started> {
  const { issuer, provider } = await startOpenAi()
  issuer.behaviour.device = { ...issuer.behaviour.device, ...device }
  return { issuer, provider, authorization: await provider.authorizeDevice(never) }
}

/** The endpoints that were asked, in turn. */
function asked({ requests }: FakeIssuer): string[] {
  return requests.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
}

const TOKENS = {
  accessToken: expect.stringMatching(/^eyJ/),
  tokenType: 'Bearer',
  refreshToken: expect.stringMatching(/^rt_/),
  idToken: expect.stringMatching(/^eyJ/),
  expiresAt: expect.any(Number),
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  account: { email: 'alice@example.com', id: 'account-1', userId: 'user-1', plan: 'plus' },
  clockSkew: 0,
}

describe('the request for a device code', () => {
  it('brings what a person needs, for a quarter of an hour', async () => {
    const { issuer, authorization } = await start()
    expect(authorization).toEqual({
      verificationUrl: `${issuer.issuer}/codex/device`,
      verificationUrlComplete: undefined,
      userCode: expect.stringMatching(/^[B-Z]{4}-[B-Z]{5}$/),
      expiresAt: expect.any(Number),
      interval: 5,
      deviceCode: expect.stringMatching(/^deviceauth_/),
    })
    expect(Math.abs(authorization.expiresAt - now() - 900)).toBeLessThan(30)
    expect(issuer.requests).toMatchObject([
      {
        method: 'POST',
        path: '/api/accounts/deviceauth/usercode',
        contentType: 'application/json',
        headers: { accept: 'application/json', 'user-agent': 'codex-auth' },
        parameters: { client_id: issuer.clientId },
      },
    ])
    expect(issuer.requests[0]?.headerNames).not.toContain('originator')
  })

  it.each([
    ['2', 2],
    [7, 7],
    ['0', 1],
    [0.5, 1],
    [undefined, 5],
  ])('takes %j for an interval', async (interval, seconds) => {
    expect((await start({ interval })).authorization.interval).toBe(seconds)
  })

  it('reads the code under its other name', async () => {
    const { issuer, provider } = await startOpenAi()
    issuer.nextUserCodeAnswers.push(
      answers.edited(({ user_code, ...body }) => ({ ...body, usercode: user_code, expires_in: 60 })),
    )
    const { userCode, expiresAt } = await provider.authorizeDevice(never)
    expect(userCode).toMatch(/^[B-Z]{4}-[B-Z]{5}$/)
    expect(Math.abs(expiresAt - now() - 60)).toBeLessThan(30)
  })

  it('keeps the path of an issuer', async () => {
    const { issuer } = await startOpenAi()
    const provider = await openOpenAi({ issuer: `${issuer.issuer}/tenant/` })
    await rejection(provider.authorizeDevice(never))
    expect(issuer.requests[0]?.path).toBe('/tenant/api/accounts/deviceauth/usercode')
  })

  it('says how to enable it where it is not', async () => {
    const { issuer, provider } = await startOpenAi()
    issuer.behaviour.device = { ...issuer.behaviour.device, enabled: false }
    expect(await told(provider.authorizeDevice(never))).toEqual({
      code: 'login_failed',
      message: `Sign-in with a device code is not enabled at ${hostOf(issuer)}.`,
      nextStep:
        'enable device code sign-in in the security settings of ChatGPT, or use the browser: codex-auth login',
    })
  })

  it.each<[string, ScriptedAnswer, object]>([
    ['is refused', answers.json(400, { error: 'unauthorized_client' }), { code: 'login_failed' }],
    ['is put off', answers.rateLimited('7'), { code: 'rate_limited', mayRetry: true, retryAfter: 7 }],
    ['fails there', answers.json(500, {}), { code: 'provider_failed' }],
    ['meets a page', answers.html(403), { code: 'provider_failed' }],
    ['is answered with a page', answers.html(200), { code: 'invalid_answer' }],
    ['is answered with nothing', answers.empty(), { code: 'invalid_answer' }],
    ['is sent elsewhere', answers.redirect(307, '/elsewhere'), { code: 'invalid_answer' }],
    ['brings no code for the person', answers.without('user_code'), { code: 'invalid_answer' }],
    ['brings no device code', answers.without('device_auth_id'), { code: 'invalid_answer' }],
    ['brings an empty device code', answers.with({ device_auth_id: '' }), { code: 'invalid_answer' }],
    ['brings an endless one', answers.with({ device_auth_id: 'x'.repeat(8193) }), { code: 'invalid_answer' }],
    [
      'brings a code that steers the terminal',
      answers.with({ user_code: 'AB\u{1b}[2JCD' }),
      { code: 'invalid_answer' },
    ],
  ])('that %s ends so', async (_, answer, fault) => {
    const { issuer, provider } = await startOpenAi()
    issuer.nextUserCodeAnswers.push(answer)
    expect(await told(provider.authorizeDevice(never))).toMatchObject(fault)
    expect(asked(issuer)).toEqual(['usercode'])
  })

  it('ends with the signal', async () => {
    const { issuer, provider } = await startOpenAi()
    const interruption = new AbortController()
    const reason = new Error('enough')
    issuer.nextUserCodeAnswers.push({
      ...answers.silence,
      beforeAnswer: async () => interruption.abort(reason),
    })
    await expect(provider.authorizeDevice(interruption.signal)).rejects.toBe(reason)
  })
})

describe('a poll', () => {
  it('brings tokens once the person has finished, for the code and the verifier that the server made', async () => {
    const { issuer, provider, authorization } = await start({ polls: [403, 404, 'approved'] })
    const said: DeviceAnswer[] = []
    for (let polls = 0; polls < 3; polls++) said.push(await provider.pollDevice(authorization, never))
    expect(said).toEqual(['pending', 'pending', TOKENS])
    expect(asked(issuer)).toEqual(['usercode', 'token', 'token', 'token', 'token'])
    const [, polled, , , traded] = issuer.requests
    expect(polled).toMatchObject({
      path: '/api/accounts/deviceauth/token',
      contentType: 'application/json',
      parameters: { device_auth_id: authorization.deviceCode, user_code: authorization.userCode },
    })
    expect(traded).toMatchObject({
      method: 'POST',
      path: '/oauth/token',
      contentType: 'application/x-www-form-urlencoded',
    })
    expect(traded?.parameters).toEqual({
      grant_type: 'authorization_code',
      client_id: issuer.clientId,
      code: expect.stringMatching(/^ac_/),
      redirect_uri: `${issuer.issuer}/deviceauth/callback`,
      code_verifier: expect.stringMatching(/^[\w-]{86}$/),
    })
    expect([issuer.exchanges, issuer.liveFamilies()]).toEqual([1, 1])
  })

  it.each<[string, ScriptedAnswer, DeviceAnswer]>([
    ['a page with 403', answers.html(403), 'pending'],
    ['nothing with 404', answers.empty(404), 'pending'],
    ['its word with another status', answers.json(400, { error: 'authorization_pending' }), 'pending'],
    [
      'its own word with another status',
      answers.json(400, { error: { code: 'deviceauth_authorization_pending' } }),
      'pending',
    ],
    ['the wish to be asked less often', answers.json(429, { error: { code: 'slow_down' } }), 'slow_down'],
  ])('takes %s for no answer yet', async (_, answer, said) => {
    const { issuer, provider, authorization } = await start()
    issuer.nextDevicePollAnswers.push(answer)
    expect(await provider.pollDevice(authorization, never)).toBe(said)
    expect(await provider.pollDevice(authorization, never)).toEqual(TOKENS)
  })

  it.each<[string, ScriptedAnswer, object]>([
    ['too many polls', answers.rateLimited('7'), { code: 'rate_limited', retryAfter: 7 }],
    ['a fault there', answers.json(500, { error: 'server_error' }), { code: 'provider_failed' }],
    ['a page with 502', answers.html(502), { code: 'provider_failed' }],
    [
      'a code with 500',
      answers.json(500, { authorization_code: 'ac_1', code_verifier: 'v' }),
      { code: 'provider_failed' },
    ],
    ['an impatient server', answers.json(408, {}), { code: 'provider_failed' }],
    ['a page with 200', answers.html(200), { code: 'invalid_answer' }],
    ['a redirect', answers.redirect(302, '/elsewhere'), { code: 'invalid_answer' }],
    [
      'an answer without a verifier',
      answers.json(200, { authorization_code: 'ac_1' }),
      { code: 'invalid_answer' },
    ],
    [
      'an answer with an empty code',
      answers.json(200, { authorization_code: '', code_verifier: 'v' }),
      { code: 'invalid_answer' },
    ],
    ['a lost connection', answers.hangUpUnread, { code: 'network' }],
  ])('can go on after %s', async (_, answer, fault) => {
    const { issuer, provider, authorization } = await start()
    issuer.nextDevicePollAnswers.push(answer)
    expect(await told(provider.pollDevice(authorization, never))).toMatchObject(fault)
    expect(asked(issuer)).toEqual(['usercode', 'token'])
    expect(await provider.pollDevice(authorization, never)).toEqual(TOKENS)
  })

  it('can go on after the issuer’s own 429 and 500', async () => {
    const { provider, authorization } = await start({ polls: [429, 500, 'approved'] })
    expect(await told(provider.pollDevice(authorization, never))).toMatchObject({ code: 'rate_limited' })
    expect(await told(provider.pollDevice(authorization, never))).toMatchObject({ code: 'provider_failed' })
    expect(await provider.pollDevice(authorization, never)).toEqual(TOKENS)
  })

  it.each([
    [
      'denied',
      {
        code: 'login_denied',
        message: 'The sign-in was denied.',
      },
    ],
    [
      'expired',
      {
        code: 'login_timeout',
        message: 'The code ended before the sign-in was finished.',
      },
    ],
  ] as const)('says that the sign-in was %s', async (polls, fault) => {
    const { provider, authorization } = await start({ polls: [polls] })
    expect(await told(provider.pollDevice(authorization, never))).toEqual(fault)
  })

  it.each<[string, ScriptedAnswer, string]>([
    ['a word', answers.json(400, { error: { code: 'invalid_request' } }), '400, invalid_request'],
    ['nothing', answers.empty(410), '410'],
    ['a page', answers.html(401), '401'],
    ['a word that may not be shown', answers.json(422, { error: 'no\u{1b}[31m' }), '422'],
  ])('ends with any other 4xx and %s', async (_, answer, why) => {
    const { issuer, provider, authorization } = await start()
    issuer.nextDevicePollAnswers.push(answer)
    expect(await told(provider.pollDevice(authorization, never))).toEqual({
      code: 'login_failed',
      message: `${hostOf(issuer)} ended the sign-in with this device code (${why}).`,
    })
  })

  it('ends with the signal', async () => {
    const { issuer, provider, authorization } = await start()
    const interruption = new AbortController()
    const reason = new Error('enough')
    issuer.nextDevicePollAnswers.push({
      ...answers.silence,
      beforeAnswer: async () => interruption.abort(reason),
    })
    await expect(provider.pollDevice(authorization, interruption.signal)).rejects.toBe(reason)
  })
})

describe('the trade of what a poll brought', () => {
  it.each<[string, ScriptedAnswer]>([
    ['put off', answers.unavailable('1')],
    ['put off for too many requests', answers.rateLimited('1')],
  ])('that was %s is made by the next poll', async (_, answer) => {
    const { issuer, provider, authorization } = await start()
    issuer.nextAnswers.push(answer, answer)
    for (let polls = 0; polls < 2; polls++) {
      expect(await told(provider.pollDevice(authorization, never))).toMatchObject({
        mayRetry: true,
        retryAfter: 1,
      })
    }
    expect(await provider.pollDevice(authorization, never)).toEqual(TOKENS)
    expect(asked(issuer)).toEqual(['usercode', 'token', 'token', 'token', 'token'])
    expect(issuer.requests.filter(({ path }) => path === '/oauth/token').length).toBe(3)
    expect(issuer.liveFamilies()).toBe(1)
  })

  it.each<[string, ScriptedAnswer, string]>([
    ['was dropped', answers.dropped, 'The connection to HOST was lost before its answer was complete'],
    ['is a page', answers.html(200), 'HOST answered 200 with text/html, which is not JSON.'],
    ['is an outage', answers.html(502), 'HOST answered 502.'],
  ])('whose answer %s is not made again', async (_, answer, why) => {
    const { issuer, provider, authorization } = await start()
    issuer.nextAnswers.push({ ...answer, stage: 'processed' })
    const { code, message } = await told(provider.pollDevice(authorization, never))
    expect(code).toBe('login_failed')
    const expected = `The sign-in was confirmed, but its tokens did not arrive: ${why.replace('HOST', hostOf(issuer))}`
    expect(message.slice(0, expected.length)).toBe(expected)
    expect(issuer.exchanges).toBe(1)
  })

  it('is not made again once its answer was lost, also after it was put off', async () => {
    const { issuer, provider, authorization } = await start()
    issuer.nextAnswers.push(answers.unavailable('1'), answers.dropped)
    expect(await told(provider.pollDevice(authorization, never))).toMatchObject({ code: 'provider_failed' })
    expect(await told(provider.pollDevice(authorization, never))).toMatchObject({ code: 'login_failed' })
    expect(await provider.pollDevice(authorization, never)).toBe('pending')
    expect(issuer.exchanges).toBe(2)
  })

  it('ends when the code is refused', async () => {
    const { issuer, provider, authorization } = await start()
    issuer.nextAnswers.push(answers.json(400, { error: 'invalid_grant' }))
    expect(await told(provider.pollDevice(authorization, never))).toEqual({
      code: 'login_failed',
      message: `${hostOf(issuer)} did not accept the authorization code (invalid_grant).`,
    })
  })

  it('goes on when the signal comes while the tokens are on their way', async () => {
    const { issuer, provider, authorization } = await start()
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const interruption = new AbortController()
    const polled = provider.pollDevice(authorization, interruption.signal)
    await held.arrived
    interruption.abort(new Error('enough'))
    held.release()
    expect(await polled).toEqual(TOKENS)
  })
})
