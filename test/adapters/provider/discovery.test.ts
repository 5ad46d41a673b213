import { describe, expect, it } from 'vitest'
import { discoverServer } from '../../../src/adapters/provider/discovery.ts'
import { told } from './faults.ts'
import { metadata, openOidc, startOpenIdServer, type Reply } from './openid-server.ts'

const OPENID = '/.well-known/openid-configuration'
const never = new AbortController().signal

describe('discovery', () => {
  it('reads what the server says of itself', async () => {
    const { origin, replies } = await startOpenIdServer()
    const body = {
      ...metadata(origin),
      scopes_supported: ['openid', 7],
      id_token_signing_alg_values_supported: ['ES256'],
      authorization_response_iss_parameter_supported: true,
      something_else: { of: 'no use' },
    }
    replies.set(`GET ${OPENID}`, { body })
    expect(await discoverServer(origin, {})).toEqual({
      ...metadata(origin),
      scopes_supported: ['openid'],
      id_token_signing_alg_values_supported: ['ES256'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  it('needs no more than two endpoints', async () => {
    const { origin, replies } = await startOpenIdServer()
    const { revocation_endpoint: _, ...least } = metadata(origin)
    replies.set(`GET ${OPENID}`, { body: least })
    expect(await discoverServer(origin, {})).toEqual({
      ...least,
      authorization_response_iss_parameter_supported: false,
    })
  })

  it('keeps the slash with which an issuer names itself', async () => {
    const { origin, replies } = await startOpenIdServer('/o/app')
    replies.set(`GET /o/app${OPENID}`, { body: { ...metadata(origin), issuer: `${origin}/o/app/` } })
    const provider = await openOidc(`${origin}/o/app/`)
    await provider.discover(never)
    expect(provider.issuer).toBe(`${origin}/o/app`)
    expect((await discoverServer(`${origin}/o/app`, {})).issuer).toBe(`${origin}/o/app/`)
  })

  it('goes on to the metadata of OAuth when there are none of OpenID', async () => {
    const { origin, replies, requests } = await startOpenIdServer('/a')
    replies.clear()
    replies.set('GET /.well-known/oauth-authorization-server/a', { body: metadata(origin, '/a') })
    expect(await discoverServer(`${origin}/a`, {})).toMatchObject(metadata(origin, '/a'))
    expect(requests.map(([route]) => route)).toEqual([
      `GET /a${OPENID}`,
      'GET /.well-known/oauth-authorization-server/a',
    ])
  })

  it('asks once for one provider, and again after a failure', async () => {
    const { origin, replies, requests } = await startOpenIdServer()
    const provider = await openOidc(origin)
    replies.set(`GET ${OPENID}`, { status: 503 })
    expect(await told(provider.discover(never))).toMatchObject({ code: 'provider_failed', mayRetry: true })
    replies.set(`GET ${OPENID}`, { body: metadata(origin) })
    await provider.discover(never)
    await provider.discover(never)
    expect(requests.length).toBe(2)
  })

  it('ends with the signal', async () => {
    const { origin } = await startOpenIdServer()
    const reason = new Error('enough')
    const provider = await openOidc(origin)
    await expect(provider.discover(AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})

describe('a server that cannot be signed in at', () => {
  it.each<[string, Reply, object]>([
    [
      'a page',
      { headers: { 'content-type': 'text/html' }, body: '<p>' },
      {
        code: 'invalid_answer',
        message: 'HOST answered 200 with text/html, which is not JSON.',
        mayRetry: false,
      },
    ],
    [
      'a redirect',
      { status: 302, headers: { location: '/elsewhere' } },
      {
        code: 'invalid_answer',
        message: 'HOST answered 302, a redirect, which is never followed.',
        mayRetry: false,
      },
    ],
    [
      'a failure',
      { status: 500 },
      { code: 'provider_failed', message: 'HOST answered 500.', mayRetry: false },
    ],
    [
      'no metadata',
      { status: 404 },
      {
        code: 'provider_failed',
        message: 'HOST has no metadata for the issuer ISSUER (404).',
        mayRetry: false,
        nextStep: 'check the address in --issuer',
      },
    ],
  ])('answers with %s', async (_, reply, fault) => {
    const { origin, replies } = await startOpenIdServer()
    replies.set(`GET ${OPENID}`, reply)
    const expected = JSON.stringify(fault).replace('HOST', new URL(origin).host).replace('ISSUER', origin)
    expect(await told(discoverServer(origin, {}))).toEqual(JSON.parse(expected))
  })

  it.each([undefined, null, 7, '', 'https://elsewhere.example.com', 'not an address'])(
    'says that its issuer is %j',
    async (issuer) => {
      const { origin, replies } = await startOpenIdServer()
      replies.set(`GET ${OPENID}`, { body: { ...metadata(origin), issuer } })
      expect(await told(discoverServer(origin, {}))).toEqual({
        code: 'invalid_answer',
        message: `${new URL(origin).host} does not say that it is the issuer ${origin}.`,
        mayRetry: false,
        nextStep: 'check the address in --issuer',
      })
    },
  )

  it.each(['authorization_endpoint', 'token_endpoint'])('has no usable %s', async (name) => {
    const { origin, replies } = await startOpenIdServer()
    const unusable = [
      undefined,
      7,
      '/token',
      'http://auth.example.com/token',
      'https://user@auth.example.com/',
      'javascript:alert(1)',
    ]
    for (const address of unusable) {
      replies.set(`GET ${OPENID}`, { body: { ...metadata(origin), [name]: address } })
      expect(await told(discoverServer(origin, {}))).toEqual({
        code: 'invalid_answer',
        message: `${new URL(origin).host} names no usable ${name.replace('_', ' ')}.`,
        mayRetry: false,
      })
    }
  })

  it('is used without a revocation endpoint that is not safe', async () => {
    const { origin, replies } = await startOpenIdServer()
    replies.set(`GET ${OPENID}`, {
      body: { ...metadata(origin), revocation_endpoint: 'http://auth.example.com/' },
    })
    expect(await discoverServer(origin, {})).not.toHaveProperty('revocation_endpoint')
  })
})
