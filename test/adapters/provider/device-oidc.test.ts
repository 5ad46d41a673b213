import { describe, expect, it } from 'vitest'
import type { AuthorizationRequest, DeviceAuthorization, Provider } from '../../../src/core/ports.ts'
import { told } from './faults.ts'
import {
  CLIENT_ID,
  idToken,
  metadata,
  openOidc,
  startOpenIdServer,
  type OpenIdServer,
  type Reply,
} from './openid-server.ts'

const never = new AbortController().signal
const now = (): number => Date.now() / 1000
const hostOf = ({ origin }: OpenIdServer): string => new URL(origin).host

const CODE = 'device-code-1'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
const HTML = { headers: { 'content-type': 'text/html' }, body: '<!doctype html>' }

interface Started {
  readonly server: OpenIdServer
  readonly provider: Provider
}

/** A server with a device authorization endpoint, which answers with this. */
async function start(reply?: Reply, scopes?: readonly string[]): Promise<Started> {
  const server = await startOpenIdServer()
  const body = { ...metadata(server.origin), device_authorization_endpoint: `${server.origin}/device/auth` }
  server.replies.set('GET /.well-known/openid-configuration', { body })
  server.replies.set('POST /device/auth', reply ?? { body: deviceCode() })
  return { server, provider: await openOidc(server.origin, scopes) }
}

function deviceCode(changes: object = {}): object {
  return {
    device_code: CODE,
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://example.com/device',
    verification_uri_complete: 'https://example.com/device?user_code=WDJB-MJHT',
    expires_in: 1800,
    interval: 7,
    ...changes,
  }
}

function authorizeWith(changes: object): Promise<DeviceAuthorization> {
  return start({ body: deviceCode(changes) }).then(({ provider }) => provider.authorizeDevice(never))
}

/** What a poll brings that is answered so. */
async function polled(reply: Reply | ((server: OpenIdServer) => Reply)) {
  const { server, provider } = await start()
  const authorization = await provider.authorizeDevice(never)
  server.replies.set('POST /token', typeof reply === 'function' ? reply(server) : reply)
  return { server, answer: provider.pollDevice(authorization, never) }
}

describe('the request for a device code', () => {
  it('asks for the usual scopes, and for consent, and brings what a person needs', async () => {
    const { server, provider } = await start()
    const authorization = await provider.authorizeDevice(never)
    expect(authorization).toEqual({
      verificationUrl: 'https://example.com/device',
      verificationUrlComplete: 'https://example.com/device?user_code=WDJB-MJHT',
      userCode: 'WDJB-MJHT',
      expiresAt: expect.any(Number),
      interval: 7,
      deviceCode: CODE,
    })
    expect(Math.abs(authorization.expiresAt - now() - 1800)).toBeLessThan(30)
    expect(server.requests).toEqual([
      ['GET /.well-known/openid-configuration', {}],
      [
        'POST /device/auth',
        { client_id: CLIENT_ID, scope: 'openid profile email offline_access', prompt: 'consent' },
      ],
    ])
  })

  it('asks for the chosen scopes only', async () => {
    const { server, provider } = await start(undefined, ['api'])
    await provider.authorizeDevice(never)
    expect(server.requests.at(-1)).toEqual(['POST /device/auth', { client_id: CLIENT_ID, scope: 'api' }])
  })

  it('needs neither an interval, nor a life, nor an address with the code in it', async () => {
    const authorization = await authorizeWith({
      interval: undefined,
      expires_in: undefined,
      verification_uri_complete: undefined,
    })
    expect(authorization).toEqual({
      verificationUrl: 'https://example.com/device',
      verificationUrlComplete: undefined,
      userCode: 'WDJB-MJHT',
      expiresAt: expect.any(Number),
      interval: 5,
      deviceCode: CODE,
    })
    expect(Math.abs(authorization.expiresAt - now() - 900)).toBeLessThan(30)
  })

  it('reads the address under its older name', async () => {
    const changes = { verification_uri: undefined, verification_url: 'https://example.com/old' }
    expect((await authorizeWith(changes)).verificationUrl).toBe('https://example.com/old')
  })

  it.each<[string, object, string]>([
    ['no device code', { device_code: undefined }, 'device code'],
    ['no user code', { user_code: undefined }, 'user code'],
    ['a user code that steers the terminal', { user_code: 'AB\u{1b}[2J' }, 'user code'],
    ['no address', { verification_uri: undefined }, 'verification address'],
    ['an address without TLS', { verification_uri: 'http://example.com/' }, 'verification address'],
    ['a script for an address', { verification_uri: 'javascript:alert(1)' }, 'verification address'],
    [
      'a script for an address with the code',
      { verification_uri_complete: 'javascript:alert(1)' },
      'verification address',
    ],
  ])('that brings %s shows nothing', async (_, changes, what) => {
    expect(await told(authorizeWith(changes))).toEqual({
      code: 'invalid_answer',
      message: expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1:\\d+ names no usable ${what}\\.$`)),
      mayRetry: false,
    })
  })

  it('is not made where the server has no such endpoint', async () => {
    const server = await startOpenIdServer()
    const provider = await openOidc(server.origin)
    expect(await told(provider.authorizeDevice(never))).toEqual({
      code: 'login_failed',
      message: `${hostOf(server)} offers no sign-in with a device code.`,
      nextStep: 'sign in with the browser: codex-auth login',
    })
    expect(server.requests.length).toBe(1)
  })

  it('is not made to an address that is less safe than the issuer', async () => {
    const { server, provider } = await start()
    const body = { ...metadata(server.origin), device_authorization_endpoint: 'http://example.com/device' }
    server.replies.set('GET /.well-known/openid-configuration', { body })
    expect(await told(provider.authorizeDevice(never))).toMatchObject({ code: 'login_failed' })
    expect(server.requests.length).toBe(1)
  })

  it('says why it is refused', async () => {
    const { server, provider } = await start({ status: 400, body: { error: 'unauthorized_client' } })
    expect(await told(provider.authorizeDevice(never))).toEqual({
      code: 'login_failed',
      message: `${hostOf(server)} did not accept the request for a device code (unauthorized_client).`,
    })
  })

  it.each<[string, Reply, string]>([
    ['429', { status: 429, body: {} }, 'rate_limited'],
    ['503', { status: 503, body: { error: 'server_error' } }, 'provider_failed'],
    ['a page with 403', { status: 403, ...HTML }, 'provider_failed'],
    ['a page with 200', { status: 200, ...HTML }, 'invalid_answer'],
  ])('meets a passing fault in %s', async (_, reply, code) => {
    const { provider } = await start(reply)
    expect(await told(provider.authorizeDevice(never))).toMatchObject({
      code,
      mayRetry: expect.any(Boolean),
    })
  })

  it('ends with the signal', async () => {
    const { server, provider } = await start()
    const reason = new Error('enough')
    const authorize = () => provider.authorizeDevice(AbortSignal.abort(reason))
    await expect(authorize()).rejects.toBe(reason)
    expect(server.requests).toEqual([])
    await provider.discover(never)
    await expect(authorize()).rejects.toBe(reason)
    expect(server.requests.length).toBe(1)
  })
})

describe('a poll', () => {
  it('sends the device code once, in a form, and brings tokens', async () => {
    const { server, answer } = await polled(({ origin }) => ({
      body: {
        access_token: 'at-1',
        token_type: 'bearer',
        expires_in: 60,
        refresh_token: 'rt-1',
        id_token: withoutNonce(origin, { email: 'alice@example.com' }),
        scope: 'openid email',
      },
    }))
    expect(await answer).toEqual({
      accessToken: 'at-1',
      tokenType: 'Bearer',
      refreshToken: 'rt-1',
      idToken: expect.any(String),
      expiresAt: expect.any(Number),
      scopes: ['openid', 'email'],
      account: { email: 'alice@example.com', id: 'user-1', userId: 'user-1', plan: undefined },
      clockSkew: 0,
    })
    expect(server.requests.slice(2)).toEqual([
      ['POST /token', { client_id: CLIENT_ID, device_code: CODE, grant_type: GRANT_TYPE }],
    ])
  })

  it('works without an id token', async () => {
    const { answer } = await polled({ body: { access_token: 'at-1' } })
    expect(await answer).toMatchObject({ accessToken: 'at-1', account: undefined })
  })

  // Large providers differ in the status that these words come with.
  it.each([
    [400, 'authorization_pending', 'pending'],
    [428, 'authorization_pending', 'pending'],
    [200, 'authorization_pending', 'pending'],
    [400, 'slow_down', 'slow_down'],
    [403, 'slow_down', 'slow_down'],
    [429, 'slow_down', 'slow_down'],
  ])('answered with %i and %s is no answer yet', async (status, error, said) => {
    const { answer } = await polled({ status, body: { error } })
    expect(await answer).toBe(said)
  })

  it.each([
    [400, 'access_denied', 'login_denied', 'The sign-in was denied.'],
    [403, 'access_denied', 'login_denied', 'The sign-in was denied.'],
    [400, 'authorization_declined', 'login_denied', 'The sign-in was denied.'],
    [400, 'expired_token', 'login_timeout', 'The code ended before the sign-in was finished.'],
  ])('answered with %i and %s ends the sign-in', async (status, error, code, message) => {
    const body = { error, error_description: `no ${CODE}` }
    const { answer } = await polled({ status, body })
    expect(await told(answer)).toEqual({ code, message })
  })

  it.each([
    [400, 'invalid_grant'],
    [401, 'invalid_client'],
  ])('answered with %i and %s ends the sign-in', async (status, error) => {
    const { server, answer } = await polled({ status, body: { error } })
    expect(await told(answer)).toEqual({
      code: 'login_failed',
      message: `${hostOf(server)} did not accept the device code (${error}).`,
    })
  })

  it.each<[string, Reply, string]>([
    ['429', { status: 429, body: {} }, 'rate_limited'],
    ['500', { status: 500, body: { error: 'server_error' } }, 'provider_failed'],
    ['503 and a word of the flow', { status: 503, body: { error: 'access_denied' } }, 'provider_failed'],
    ['400 for the moment', { status: 400, body: { error: 'temporarily_unavailable' } }, 'provider_failed'],
    ['a page with 400', { status: 400, ...HTML }, 'provider_failed'],
    ['a page with 403', { status: 403, ...HTML }, 'provider_failed'],
    ['a page with 200', { status: 200, ...HTML }, 'invalid_answer'],
    ['a redirect', { status: 302, headers: { location: '/' } }, 'invalid_answer'],
    ['nothing of use', { status: 200, body: {} }, 'invalid_answer'],
  ])('can go on after %s', async (_, reply, code) => {
    const { answer } = await polled(reply)
    expect(await told(answer)).toMatchObject({ code, mayRetry: expect.any(Boolean) })
  })

  it.each<[string, object, string]>([
    ['another issuer', { iss: 'https://elsewhere.example.com' }, 'unexpected JWT "iss" (issuer) claim value'],
    ['another client', { aud: 'other' }, 'unexpected JWT "aud" (audience) claim value'],
    ['a sign-in in a browser', { nonce: 'other' }, 'unexpected ID Token "nonce" claim value'],
  ])('does not take an id token for %s', async (_, claims, why) => {
    const { answer } = await polled(({ origin }) => ({
      body: { access_token: 'at-1', id_token: withoutNonce(origin, claims) },
    }))
    expect(await told(answer)).toEqual({
      code: 'login_failed',
      message: `The id token is not to be trusted: ${why}.`,
    })
  })

  it('ends with the signal', async () => {
    const { provider } = await start()
    const authorization = await provider.authorizeDevice(never)
    const reason = new Error('enough')
    await expect(provider.pollDevice(authorization, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})

function withoutNonce(issuer: string, claims: object): string {
  return idToken(issuer, { nonce: undefined } as AuthorizationRequest, claims)
}
