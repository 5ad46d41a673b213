import { describe, expect, it, onTestFinished } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { Provider } from '../../../src/core/ports.ts'
import { startOpenIdProvider } from '../../support/openid-provider.ts'
import { once } from '../../support/refresh-request.ts'
import { denySignIn, signIn } from '../../support/sign-in.ts'
import { told } from './faults.ts'
import { credential } from './openid-server.ts'

const never = new AbortController().signal

async function start(): Promise<Provider> {
  const server = await startOpenIdProvider()
  onTestFinished(() => server.close())
  const { issuer, clientId } = server
  const clock = { now: () => Date.now() / 1000 }
  return providers(clock).open({ name: 'oidc', issuer, clientId, scopes: undefined })
}

describe('at a certified OpenID provider, a sign-in with a device code', () => {
  it('waits for the person, and then brings tokens that can be refreshed', async () => {
    const provider = await start()
    const authorization = await provider.authorizeDevice(never)
    expect(authorization).toEqual({
      verificationUrl: `${provider.issuer}/device`,
      verificationUrlComplete: `${provider.issuer}/device?user_code=${authorization.userCode}`,
      userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
      expiresAt: expect.any(Number),
      // It names none.
      interval: 5,
      deviceCode: expect.any(String),
    })
    expect(Math.abs(authorization.expiresAt - Date.now() / 1000 - 600)).toBeLessThan(30)
    expect(await provider.pollDevice(authorization, never)).toBe('pending')
    await signIn(authorization.verificationUrlComplete ?? '')
    const tokens = await provider.pollDevice(authorization, never)
    expect(tokens).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      refreshToken: expect.any(String),
      idToken: expect.any(String),
      expiresAt: expect.any(Number),
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      account: { email: 'alice@example.com', id: 'alice', userId: 'alice', plan: undefined },
      clockSkew: 0,
    })
    if (typeof tokens === 'string') throw new Error('no tokens')
    const login = { ...credential(provider.issuer, tokens), clientId: provider.clientId }
    expect(await provider.refresh(login, once('forced'))).toMatchObject({ kind: 'tokens' })
  })

  it('is denied by a person who cancels', async () => {
    const provider = await start()
    const authorization = await provider.authorizeDevice(never)
    await denySignIn(authorization.verificationUrlComplete ?? '')
    expect(await told(provider.pollDevice(authorization, never))).toEqual({
      code: 'login_denied',
      message: 'The sign-in was denied.',
    })
  })

  it('ends when its code was traded before', async () => {
    const provider = await start()
    const authorization = await provider.authorizeDevice(never)
    await signIn(authorization.verificationUrlComplete ?? '')
    await provider.pollDevice(authorization, never)
    expect(await told(provider.pollDevice(authorization, never))).toEqual({
      code: 'login_failed',
      message: `${new URL(provider.issuer).host} did not accept the device code (invalid_grant).`,
    })
  })
})
