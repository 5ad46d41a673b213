import { describe, expect, it, onTestFinished } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { AuthorizationRequest, Provider, Tokens } from '../../../src/core/ports.ts'
import { once } from '../../support/refresh-request.ts'
import { startOpenIdProvider, type OpenIdProvider } from '../../support/openid-provider.ts'
import { denySignIn, signIn } from '../../support/sign-in.ts'
import { told } from './faults.ts'
import { credential } from './openid-server.ts'
import { serve } from './servers.ts'

const never = new AbortController().signal
const ALICE = { email: 'alice@example.com', id: 'alice', userId: 'alice', plan: undefined }

async function start(): Promise<{ server: OpenIdProvider; provider: Provider }> {
  const server = await startOpenIdProvider()
  onTestFinished(() => server.close())
  const { issuer, clientId } = server
  const clock = { now: () => Date.now() / 1000 }
  return {
    server,
    provider: await providers(clock).open({ name: 'oidc', issuer, clientId, scopes: undefined }),
  }
}

/** Sends a person to the provider's pages; the redirect that comes back. */
async function visit(
  provider: Provider,
  browse: (url: string) => Promise<unknown> = signIn,
): Promise<{ request: AuthorizationRequest; redirect: URLSearchParams }> {
  const redirects: URLSearchParams[] = []
  const { origin } = await serve((incoming, response) => {
    redirects.push(new URL(incoming.url ?? '', 'http://127.0.0.1').searchParams)
    response.end()
  })
  const request = await provider.authorizationRequest(`${origin}/auth/callback`, [])
  await browse(request.url)
  return { request, redirect: redirects[0] ?? new URLSearchParams() }
}

async function signedIn(provider: Provider): Promise<Tokens> {
  const { request, redirect } = await visit(provider)
  expect(redirect.get('iss')).toBe(provider.issuer)
  return provider.exchange(request, redirect)
}

describe('at a certified OpenID provider', () => {
  it('a sign-in, a refresh and a revocation work', async () => {
    const { server, provider } = await start()
    const tokens = await signedIn(provider)
    expect(tokens).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      refreshToken: expect.any(String),
      idToken: expect.any(String),
      expiresAt: expect.any(Number),
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      account: ALICE,
      clockSkew: 0,
    })
    const login = { ...credential(provider.issuer, tokens), clientId: provider.clientId }
    const outcome = await provider.refresh(login, once('forced'))
    if (outcome.kind !== 'tokens') throw new Error('the refresh was refused')
    expect(outcome.tokens.refreshToken).not.toBe(tokens.refreshToken)
    expect(outcome.tokens.account?.id).toBe('alice')
    const renewed = { ...login, refreshToken: outcome.tokens.refreshToken }
    expect(await provider.revoke(renewed, never)).toBe(true)
    expect(await provider.refresh(renewed, once('forced'))).toEqual({ kind: 'refused', reason: 'rejected' })
    expect([server.refreshes, server.refusedRefreshes, server.revocations]).toEqual([2, 1, 1])
  })

  it('a spent refresh token is refused', async () => {
    const { provider } = await start()
    const tokens = await signedIn(provider)
    const login = { ...credential(provider.issuer, tokens), clientId: provider.clientId }
    await provider.refresh(login, once('forced'))
    expect(await provider.refresh(login, once('forced'))).toEqual({ kind: 'refused', reason: 'rejected' })
  })

  it('a person who cancels denies the sign-in', async () => {
    const { provider } = await start()
    const { request, redirect } = await visit(provider, denySignIn)
    expect(await told(provider.exchange(request, redirect))).toEqual({
      code: 'login_denied',
      message: 'The sign-in was denied: End-User aborted interaction',
    })
  })
})
