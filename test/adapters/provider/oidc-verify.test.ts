import { describe, expect, it, onTestFinished } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { Credential } from '../../../src/core/credential.ts'
import type { Provider } from '../../../src/core/ports.ts'
import { startOpenIdProvider } from '../../support/openid-provider.ts'
import { signIn } from '../../support/sign-in.ts'
import { unsigned } from './answers.ts'
import { told } from './faults.ts'
import { credential, metadata, openOidc, startOpenIdServer, type Reply } from './openid-server.ts'
import { serve } from './servers.ts'

const signal = new AbortController().signal
const ALICE = { email: undefined, id: 'alice', userId: 'alice', plan: undefined }

interface Server {
  readonly host: string
  readonly requests: readonly [string, Readonly<Record<string, string>>][]
  verify(changes?: Partial<Credential>): ReturnType<Provider['verify']>
}

/** A server with this metadata besides the usual, and these answers. */
async function start(more: object, replies: Record<string, Reply> = {}): Promise<Server> {
  const server = await startOpenIdServer()
  const { origin, requests } = server
  const absolute = Object.entries(more).map(([name, value]) => [
    name,
    typeof value === 'string' && value.startsWith('/') ? `${origin}${value}` : value,
  ])
  server.replies.set('GET /.well-known/openid-configuration', {
    body: { ...metadata(origin), ...Object.fromEntries(absolute) },
  })
  for (const [route, reply] of Object.entries(replies)) server.replies.set(route, reply)
  const provider = await openOidc(origin)
  const login = { ...credential(origin), scopes: ['openid'], account: ALICE }
  return {
    host: new URL(origin).host,
    requests,
    verify: (changes = {}) => provider.verify({ ...login, ...changes }, signal),
  }
}

const USERINFO = { userinfo_endpoint: '/me' }
const INTROSPECTION = { introspection_endpoint: '/introspect' }

describe('userinfo', () => {
  it.each<[string, Reply, string]>([
    ['names the account', { body: { sub: 'alice' } }, 'valid'],
    [
      'names the account in a signed answer',
      { body: unsigned({ sub: 'alice' }), headers: { 'content-type': 'application/jwt' } },
      'valid',
    ],
    [
      'refuses the token',
      { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: '' },
      'refused',
    ],
    [
      'wants another scope, so it knows the token',
      { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' }, body: '' },
      'valid',
    ],
  ])('%s', async (_, reply, verdict) => {
    const { verify, requests } = await start(USERINFO, { 'GET /me': reply })
    expect(await verify()).toBe(verdict)
    expect(requests.map(([route]) => route)).toEqual(['GET /.well-known/openid-configuration', 'GET /me'])
  })

  it.each<[string, Reply, string]>([
    [
      'names another account',
      { body: { sub: 'mallory' } },
      "answered for another account than this login's.",
    ],
    ['names no account', { body: { email: 'a@b.c' } }, 'answered 200 with nothing of what was asked for.'],
    [
      'is a page',
      { body: '<html>', headers: { 'content-type': 'text/html' } },
      'answered 200 with text/html, which is not JSON.',
    ],
    ['is unwell', { status: 502, body: '' }, 'answered 502.'],
  ])('says nothing when it %s', async (_, reply, what) => {
    const { verify, host } = await start(USERINFO, { 'GET /me': reply })
    expect((await told(verify())).message).toBe(`${host} ${what}`)
  })

  it('is not for a token without the scope openid', async () => {
    const { verify, requests, host } = await start(USERINFO)
    expect(await told(verify({ scopes: ['api'] }))).toEqual({
      code: 'not_verifiable',
      message: `${host} offers no way to ask whether this token works.`,
    })
    expect(requests.map(([route]) => route)).toEqual(['GET /.well-known/openid-configuration'])
  })

  it('is not asked where anybody could listen', async () => {
    const { verify } = await start({ userinfo_endpoint: 'http://auth.example.com/me' })
    expect(await told(verify())).toMatchObject({ code: 'not_verifiable' })
  })
})

describe('introspection', () => {
  it.each([
    [true, 'valid'],
    [false, 'refused'],
  ])('that says active: %s', async (active, verdict) => {
    const { verify, requests } = await start(INTROSPECTION, { 'POST /introspect': { body: { active } } })
    expect(await verify()).toBe(verdict)
    expect(requests[1]).toEqual([
      'POST /introspect',
      { client_id: 'client-1', token: 'at-1', token_type_hint: 'access_token' },
    ])
  })

  it.each([400, 401, 403])('that refuses the client (%i) says nothing of the token', async (status) => {
    const reply = { status, body: { error: 'invalid_client' } }
    const { verify, host } = await start(INTROSPECTION, { 'POST /introspect': reply })
    expect(await told(verify())).toEqual({
      code: 'not_verifiable',
      message: `${host} does not let this client ask whether a token works.`,
    })
  })

  it.each<[string, Reply, string]>([
    ['does not say', { body: { active: 'yes' } }, 'invalid_answer'],
    ['is unwell', { status: 500, body: '' }, 'provider_failed'],
  ])('that %s says nothing', async (_, reply, code) => {
    const { verify } = await start(INTROSPECTION, { 'POST /introspect': reply })
    expect(await told(verify())).toMatchObject({ code })
  })

  it.each([
    [['client_secret_basic'], 'not_verifiable'],
    [['client_secret_basic', 'none'], 'valid'],
  ])('where clients authenticate by %s', async (methods, outcome) => {
    const { verify } = await start(
      { ...INTROSPECTION, introspection_endpoint_auth_methods_supported: methods },
      { 'POST /introspect': { body: { active: true } } },
    )
    const verdict = await verify().catch((error: { code: string }) => error.code)
    expect(verdict).toBe(outcome)
  })
})

describe('at a certified OpenID provider', () => {
  it('a token is valid until it is revoked', async () => {
    const server = await startOpenIdProvider()
    onTestFinished(() => server.close())
    const { issuer, clientId } = server
    const clock = { now: () => Date.now() / 1000 }
    const provider = await providers(clock).open({ name: 'oidc', issuer, clientId, scopes: undefined })
    const redirects: URLSearchParams[] = []
    const { origin } = await serve((incoming, response) => {
      redirects.push(new URL(incoming.url ?? '', 'http://127.0.0.1').searchParams)
      response.end()
    })
    const request = await provider.authorizationRequest(`${origin}/auth/callback`, [])
    await signIn(request.url)
    const tokens = await provider.exchange(request, redirects[0] ?? new URLSearchParams())
    const login = { ...credential(issuer, tokens), clientId, account: ALICE }
    const openId = { ...login, scopes: ['openid'] }
    // Without the scope, the same server is asked by introspection.
    const asked = async () => [await provider.verify(openId, signal), await provider.verify(login, signal)]
    expect(await asked()).toEqual(['valid', 'valid'])
    await provider.revoke({ ...login, refreshToken: undefined }, signal)
    expect(await asked()).toEqual(['refused', 'refused'])
    expect(await provider.usage(login, signal)).toBeUndefined()
  })
})
