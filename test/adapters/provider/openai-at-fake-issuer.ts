import { onTestFinished } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { AuthorizationRequest, Provider, ProviderChoice } from '../../../src/core/ports.ts'
import { startFakeIssuer, type FakeIssuer } from '../../support/fake-issuer.ts'

export const REDIRECT_URI = 'http://localhost:1455/auth/callback'

export const now = (): number => Date.now() / 1000

export function openOpenAi(choice: Partial<ProviderChoice> = {}): Promise<Provider> {
  const unset = { issuer: undefined, clientId: undefined, scopes: undefined }
  return providers({ now }).open({ name: 'openai', ...unset, ...choice })
}

/** The provider at an issuer that lives until the end of the test. */
export async function startOpenAi(): Promise<{ issuer: FakeIssuer; provider: Provider }> {
  const issuer = await startFakeIssuer()
  onTestFinished(() => issuer.close())
  return { issuer, provider: await openOpenAi({ issuer: issuer.issuer }) }
}

/** What the browser brings back after the sign-in page. */
export async function redirectOf({ url }: AuthorizationRequest): Promise<URLSearchParams> {
  const { headers } = await fetch(url, { redirect: 'manual' })
  return new URL(headers.get('location') ?? '').searchParams
}
