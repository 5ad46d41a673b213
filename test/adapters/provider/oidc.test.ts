import { describe, expect, it } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { AuthorizationRequest, Provider, Tokens } from '../../../src/core/ports.ts'
import { once } from '../../support/refresh-request.ts'
import { unsigned } from './answers.ts'
import { told } from './faults.ts'
import {
  CLIENT_ID,
  credential,
  idToken,
  metadata,
  openOidc,
  REDIRECT_URI,
  signedIn,
  startOpenIdServer,
  type OpenIdServer,
} from './openid-server.ts'
import { serveBytes } from './servers.ts'
import { happening, stopTime } from './time.ts'

const never = new AbortController().signal
const now = (): number => Date.now() / 1000

const parametersOf = ({ url }: AuthorizationRequest): [string, string][] => [...new URL(url).searchParams]

async function start(scopes?: readonly string[]): Promise<{ server: OpenIdServer; provider: Provider }> {
  const server = await startOpenIdServer()
  return { server, provider: await openOidc(server.origin, scopes) }
}

/** An exchange at a server that answers with these values. */
async function exchanged(
  values: (request: AuthorizationRequest, origin: string) => object,
  headers: Record<string, string> = {},
): Promise<Tokens> {
  const { server, provider } = await start()
  const request = await provider.authorizationRequest(REDIRECT_URI, [])
  server.replies.set('POST /token', { body: values(request, server.origin), headers })
  return provider.exchange(request, signedIn(request))
}

describe('the provider oidc', () => {
  const open = providers({ now }).open
  const chosen = { name: 'oidc', scopes: undefined } as const

  it('needs an issuer', async () => {
    expect(await told(open({ ...chosen, issuer: undefined, clientId: CLIENT_ID }))).toEqual({
      code: 'usage',
      message: 'An OpenID provider needs its issuer.',
      nextStep: '--issuer https://auth.example.com',
    })
  })

  it.each([undefined, ''])('needs a client id, which %j is not', async (clientId) => {
    expect(await told(open({ ...chosen, issuer: 'https://auth.example.com', clientId }))).toEqual({
      code: 'usage',
      message: 'An OpenID provider needs its client id.',
      nextStep: '--client-id <id>, as registered at the provider',
    })
  })

  it('is what it is told to be', async () => {
    const { name, method, issuer, clientId, scopes } = await openOidc('https://auth.example.com/')
    expect({ name, method, issuer, clientId, scopes }).toEqual({
      name: 'oidc',
      method: 'oauth',
      issuer: 'https://auth.example.com',
      clientId: CLIENT_ID,
      scopes: ['openid', 'profile', 'email', 'offline_access'],
    })
  })
})

describe('the authorization request', () => {
  it('asks for all usual scopes, and for consent', async () => {
    const { server, provider } = await start()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    expect(request.url.startsWith(`${server.origin}/authorize?`)).toBe(true)
    expect(parametersOf(request)).toEqual([
      ['response_type', 'code'],
      ['client_id', CLIENT_ID],
      ['redirect_uri', REDIRECT_URI],
      ['code_challenge', expect.stringMatching(/^[\w-]{43}$/)],
      ['code_challenge_method', 'S256'],
      ['state', request.state],
      ['scope', 'openid profile email offline_access'],
      ['nonce', request.nonce],
      ['prompt', 'consent'],
    ])
    expect(request).toEqual({
      url: request.url,
      state: expect.stringMatching(/^[\w-]{43}$/),
      codeVerifier: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      issuerInRedirect: false,
      redirectUri: REDIRECT_URI,
    })
  })

  it.each([
    [['openid', 'email'], 'openid email'],
    [['profile', 'offline_access'], 'openid profile offline_access'],
    [[], 'openid'],
  ])('leaves out what the server does not know, of which it knows %j', async (known, scope) => {
    const { server, provider } = await start()
    const body = { ...metadata(server.origin), scopes_supported: known }
    server.replies.set('GET /.well-known/openid-configuration', { body })
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const { searchParams } = new URL(request.url)
    expect(searchParams.get('scope')).toBe(scope)
    expect(searchParams.get('prompt')).toBe(scope.includes('offline_access') ? 'consent' : null)
    expect(provider.scopes.join(' ')).toBe(scope)
  })

  it('asks for the chosen scopes whatever the server knows', async () => {
    const { server, provider } = await start(['api', 'offline_access'])
    const body = { ...metadata(server.origin), scopes_supported: ['openid'] }
    server.replies.set('GET /.well-known/openid-configuration', { body })
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    expect(Object.fromEntries(parametersOf(request))).toMatchObject({
      scope: 'api offline_access',
      prompt: 'consent',
    })
    expect(request.nonce).toBeUndefined()
    expect(provider.scopes).toEqual(['api', 'offline_access'])
  })

  it('knows nothing of workspaces', async () => {
    const { provider } = await start()
    const request = await provider.authorizationRequest(REDIRECT_URI, ['ws-1'])
    expect(request.url).not.toContain('ws-1')
  })

  it('keeps the query that the endpoint has', async () => {
    const { server, provider } = await start()
    const body = { ...metadata(server.origin), authorization_endpoint: `${server.origin}/authorize?tenant=a` }
    server.replies.set('GET /.well-known/openid-configuration', { body })
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    expect(parametersOf(request).slice(0, 2)).toEqual([
      ['tenant', 'a'],
      ['response_type', 'code'],
    ])
  })
})

describe('the exchange', () => {
  it('trades the code for tokens, once, in a form', async () => {
    const { server, provider } = await start()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const token = idToken(server.origin, request, { email: 'alice@example.com' })
    const body = {
      access_token: 'at-1',
      token_type: 'bearer',
      expires_in: 60,
      refresh_token: 'rt-1',
      id_token: token,
    }
    server.replies.set('POST /token', { body })
    const before = Math.floor(now())
    const tokens = await provider.exchange(request, signedIn(request, { iss: server.origin }))
    expect(tokens).toEqual({
      accessToken: 'at-1',
      tokenType: 'Bearer',
      refreshToken: 'rt-1',
      idToken: token,
      expiresAt: expect.any(Number),
      scopes: undefined,
      account: { email: 'alice@example.com', id: 'user-1', userId: 'user-1', plan: undefined },
      clockSkew: 0,
    })
    expect((tokens.expiresAt ?? 0) - before - 60).toBeLessThan(30)
    expect(server.requests.slice(1)).toEqual([
      [
        'POST /token',
        {
          client_id: CLIENT_ID,
          code: 'code-1',
          code_verifier: request.codeVerifier,
          grant_type: 'authorization_code',
          redirect_uri: REDIRECT_URI,
        },
      ],
    ])
  })

  it.each<[string, (request: AuthorizationRequest, origin: string) => object, object]>([
    ['no id token', () => ({}), { account: undefined, idToken: undefined }],
    [
      'an id token for several clients',
      (request, origin) => ({
        id_token: idToken(origin, request, { aud: [CLIENT_ID, 'b'], azp: CLIENT_ID }),
      }),
      { account: { email: undefined, id: 'user-1', userId: 'user-1', plan: undefined } },
    ],
    [
      'an id token of four minutes ago',
      (request, origin) => ({ id_token: idToken(origin, request, { exp: Math.floor(now()) - 240 }) }),
      {},
    ],
    ['a type of its own', () => ({ token_type: 'N_A' }), { tokenType: 'N_A' }],
  ])('works with %s', async (_, values, tokens) => {
    const made = await exchanged((request, origin) => ({ access_token: 'at-1', ...values(request, origin) }))
    expect(made).toMatchObject({ accessToken: 'at-1', refreshToken: undefined, ...tokens })
  })

  it('judges the id token by the clock of the server', async () => {
    const ago = Math.floor(now()) - 7200
    const tokens = await exchanged(
      (request, origin) => ({
        access_token: 'at-1',
        id_token: idToken(origin, request, { iat: ago, exp: ago + 60 }),
      }),
      { date: new Date(ago * 1000).toUTCString() },
    )
    expect(Math.abs(tokens.clockSkew + 7200)).toBeLessThanOrEqual(2)
  })

  it.each<[string, object, string]>([
    ['another issuer', { iss: 'https://elsewhere.example.com' }, 'unexpected JWT "iss" (issuer) claim value'],
    ['another client', { aud: 'other' }, 'unexpected JWT "aud" (audience) claim value'],
    ['another sign-in', { nonce: 'other' }, 'unexpected ID Token "nonce" claim value'],
    ['any sign-in', { nonce: undefined }, 'JWT "nonce" (nonce) claim missing'],
    ['nobody', { sub: undefined }, 'JWT "sub" (subject) claim missing'],
    [
      'another time',
      { exp: 1_000_000_000 },
      'unexpected JWT "exp" (expiration time) claim value, expiration is past current timestamp',
    ],
  ])('ends the sign-in when the id token is for %s', async (_, claims, why) => {
    const values = (request: AuthorizationRequest, origin: string): object => ({
      access_token: 'at-1',
      id_token: idToken(origin, request, claims),
    })
    expect(await told(exchanged(values))).toEqual({
      code: 'login_failed',
      message: `The id token is not to be trusted: ${why}.`,
    })
  })

  it.each(['opaque', 'a.b.c', 'a.b.c.d.e', unsigned([]), unsigned({}, { alg: 'none' })])(
    'ends the sign-in when the id token is none',
    async (token) => {
      const fault = await told(exchanged(() => ({ access_token: 'at-1', id_token: token })))
      expect(fault).toEqual({
        code: 'login_failed',
        message: expect.stringMatching(/^The id token is not to be trusted: [\w :"()]+\.$/),
      })
    },
  )

  it('needs the issuer in the redirect where the server promises it', async () => {
    const { server, provider } = await start()
    const body = { ...metadata(server.origin), authorization_response_iss_parameter_supported: true }
    server.replies.set('GET /.well-known/openid-configuration', { body })
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    expect(await told(provider.exchange(request, signedIn(request)))).toEqual({
      code: 'login_failed',
      message:
        'The redirect from the browser is not to be trusted: response parameter "iss" (issuer) missing.',
    })
    expect(server.requests.length).toBe(1)
  })
})

describe('the refresh', () => {
  it('sends the token once, in a form, and takes what it gets', async () => {
    const { server, provider } = await start()
    // Every one of these would be reason enough for a strict client to throw the answer away.
    const odd = { token_type: undefined, expires_in: 'soon', scope: 7, id_token: 'opaque' }
    server.replies.set('POST /token', { body: { access_token: 'at-2', refresh_token: 'rt-2', ...odd } })
    expect(await provider.refresh(credential(server.origin), once('forced'))).toEqual({
      kind: 'tokens',
      tokens: {
        accessToken: 'at-2',
        tokenType: 'Bearer',
        refreshToken: 'rt-2',
        idToken: 'opaque',
        expiresAt: undefined,
        scopes: undefined,
        account: undefined,
        clockSkew: 0,
      },
    })
    expect(server.requests.slice(1)).toEqual([
      ['POST /token', { client_id: CLIENT_ID, grant_type: 'refresh_token', refresh_token: 'rt-1' }],
    ])
  })

  it.each([421, 429, 503, 401])('is not repeated after %i', async (status) => {
    const { server, provider } = await start()
    const headers = { 'dpop-nonce': 'n', 'www-authenticate': 'DPoP error="use_dpop_nonce"' }
    server.replies.set('POST /token', { status, headers, body: { error: 'use_dpop_nonce' } })
    expect(await told(provider.refresh(credential(server.origin), once('forced')))).toMatchObject({
      code: status === 429 ? 'rate_limited' : 'provider_failed',
    })
    expect(server.requests.length).toBe(2)
  })

  it('is refused by invalid_grant', async () => {
    const { server, provider } = await start()
    server.replies.set('POST /token', { status: 400, body: { error: 'invalid_grant' } })
    expect(await provider.refresh(credential(server.origin), once('forced'))).toEqual({
      kind: 'refused',
      reason: 'rejected',
    })
  })

  it('needs a refresh token, before anything is asked', async () => {
    const { server, provider } = await start()
    const given = credential(server.origin, { refreshToken: undefined })
    expect(await told(provider.refresh(given, once('forced')))).toMatchObject({ code: 'not_refreshable' })
    expect(server.requests).toEqual([])
  })
})

describe('the revocation', () => {
  it.each([
    ['rt-1', 'refresh_token'],
    [undefined, 'access_token'],
  ])('is of the token that ends the login', async (refreshToken, hint) => {
    const { server, provider } = await start()
    server.replies.set('POST /revoke', { headers: { 'content-type': 'text/plain' }, body: '' })
    expect(await provider.revoke(credential(server.origin, { refreshToken }), never)).toBe(true)
    expect(server.requests.slice(1)).toEqual([
      ['POST /revoke', { client_id: CLIENT_ID, token: refreshToken ?? 'at-1', token_type_hint: hint }],
    ])
  })

  it('is impossible where there is no endpoint', async () => {
    const { server, provider } = await start()
    const { revocation_endpoint: _, ...body } = metadata(server.origin)
    server.replies.set('GET /.well-known/openid-configuration', { body })
    expect(await provider.revoke(credential(server.origin), never)).toBe(false)
  })

  it('waits no longer than 5 seconds, the discovery included', async () => {
    const pass = stopTime()
    const asked = happening()
    const host = await serveBytes((socket) => socket.once('data', asked.happen))
    const issuer = `http://${host}`
    const revoked = told((await openOidc(issuer)).revoke(credential(issuer), never))
    await asked.happened
    pass(5000)
    expect(await revoked).toEqual({
      code: 'timeout',
      message: `${host} did not answer within 5 s.`,
      mayRetry: false,
    })
  })

  it('is not confirmed by an error', async () => {
    const { server, provider } = await start()
    server.replies.set('POST /revoke', { status: 400, body: { error: 'unsupported_token_type' } })
    expect(await told(provider.revoke(credential(server.origin), never))).toEqual({
      code: 'provider_failed',
      message: `${new URL(server.origin).host} answered 400 (unsupported_token_type).`,
      mayRetry: false,
    })
  })
})
