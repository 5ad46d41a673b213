import { expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { atProvider, fingerprint, logIn, newHome, newProvider } from '../support/e2e.ts'
import type { OpenIdProvider } from '../support/openid-provider.ts'

const VERIFY = ['status', '--verify', '--json']

/** Ends the access token at the provider, as its owner can there. */
async function revoke({ issuer, clientId }: OpenIdProvider, accessToken: string): Promise<void> {
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`)
  const { revocation_endpoint } = (await discovery.json()) as { revocation_endpoint: string }
  const body = new URLSearchParams({ token: accessToken, client_id: clientId })
  const { status } = await fetch(revocation_endpoint, { method: 'POST', body })
  expect(status).toBe(200)
}

async function verified(home: string) {
  const { stdout, exitCode } = await runCli(VERIFY, { home })
  const { state, verification, next_step } = JSON.parse(stdout) as Record<string, unknown>
  return { exitCode, state, verification, next_step }
}

const GOOD = { exitCode: 0, state: 'valid', verification: 'valid', next_step: null }

test('a token that was revoked looks good until the provider is asked, and the next steps mend it', async () => {
  const home = newHome()
  const provider = await newProvider()
  await logIn(atProvider(provider), { home })
  expect(await verified(home)).toEqual(GOOD)
  await revoke(provider, (await runCli(['token'], { home })).stdout.trim())
  const before = fingerprint(home)
  expect(await runCli(['status', '--quiet'], { home })).toMatchObject({ exitCode: 0 })
  expect(await verified(home)).toEqual({
    exitCode: 4,
    state: 'dead',
    verification: 'refused',
    next_step: 'codex-auth refresh; if that is refused too: codex-auth login',
  })
  expect({ same: fingerprint(home) === before, refreshes: provider.refreshes }).toEqual({
    same: true,
    refreshes: 0,
  })
  // This provider has ended the whole grant with it.
  expect(await runCli(['refresh'], { home })).toMatchObject({ exitCode: 4 })
  await logIn(atProvider(provider), { home })
  expect(await verified(home)).toEqual(GOOD)
})

test('a provider that is gone leaves the token unknown, and what is stored as it is', async () => {
  const home = newHome()
  const provider = await newProvider()
  await logIn(atProvider(provider), { home })
  const before = fingerprint(home)
  await provider.close()
  expect(await verified(home)).toMatchObject({ exitCode: 5, state: 'unknown', verification: 'unknown' })
  expect(fingerprint(home)).toBe(before)
  expect(await runCli(['token'], { home })).toMatchObject({ exitCode: 0 })
})
