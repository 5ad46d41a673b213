import { describe, expect, onTestFinished, test } from 'vitest'
import { readSealedFile } from '../../src/adapters/store/sealed-file.ts'
import { addressOf, runCli, startCli } from '../support/cli.ts'
import {
  atProvider,
  fingerprint,
  logIn,
  newHome,
  newProvider,
  redirectTo,
  signInSaid,
} from '../support/e2e.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'
import type { OpenIdProvider } from '../support/openid-provider.ts'
import { denySignIn } from '../support/sign-in.ts'

test('a sign-in at a certified provider saves a login that is renewed and revoked', async () => {
  const home = newHome()
  const provider = await newProvider()
  const { page, address, lingered: _, ...ended } = await logIn(atProvider(provider), { home })
  expect(ended).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: signInSaid(address, 'alice@example.com'),
  })
  expect(page.status).toBe(200)
  const first = await runCli(['token'], { home })
  const refreshed = await runCli(['refresh', '--quiet'], { home })
  const second = await runCli(['token'], { home })
  expect(refreshed).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(second.stdout === first.stdout).toBe(false)
  expect(provider.secrets.has(second.stdout.trim())).toBe(true)
  const out = await runCli(['logout', '--quiet'], { home })
  expect({ ...out, refreshes: provider.refreshes, revocations: provider.revocations }).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: '',
    refreshes: 1,
    revocations: 1,
  })
})

test('a login whose refresh token was spent elsewhere is over, and the provider is not asked again', async () => {
  const home = newHome()
  const provider = await newProvider()
  await logIn(atProvider(provider), { home })
  await spendElsewhere(provider, home)
  const refresh = await runCli(['refresh'], { home })
  const token = await runCli(['token'], { home })
  const { state, reason } = JSON.parse((await runCli(['status', '--json'], { home })).stdout)
  expect([refresh.exitCode, token.exitCode]).toEqual([4, 4])
  expect({ state, reason }).toEqual({ state: 'dead', reason: 'rejected' })
  expect({ refreshes: provider.refreshes, refused: provider.refusedRefreshes }).toEqual({
    refreshes: 2,
    refused: 1,
  })
})

test('the program is gone within a second of its success', async () => {
  const home = newHome()
  const provider = await newProvider()
  const { exitCode, lingered } = await logIn(atProvider(provider), { home })
  expect(exitCode).toBe(0)
  expect(lingered).toBeLessThan(1000)
})

test('a person who cancels sees so, and nothing is stored', async () => {
  const home = newHome()
  const provider = await newProvider()
  const running = startCli(atProvider(provider), { home })
  const page = await denySignIn(await addressOf(running))
  const { exitCode } = await running.ended
  expect({ exitCode, page: page.status }).toEqual({ exitCode: 8, page: 400 })
  expect((await runCli(['status'], { home })).exitCode).toBe(4)
})

describe('a redirect', () => {
  test.for([
    ['with the iss of another server', (_issuer: string) => ({ iss: 'http://127.0.0.1:9' })],
    ['with this iss but for one character', (issuer: string) => ({ iss: `${issuer}/` })],
    ['without iss, though this provider always sends it', () => ({})],
  ] as const)('%s ends the sign-in, and the login before stays', async ([, iss]) => {
    const home = newHome()
    const provider = await newProvider()
    await logIn(atProvider(provider), { home })
    const before = fingerprint(home)
    const running = startCli(atProvider(provider), { home })
    const address = await addressOf(running)
    const page = await fetch(redirectTo(address, { code: 'mixed-up', ...iss(provider.issuer) }))
    const { exitCode, stderr } = await running.ended
    expect({ exitCode, page: page.status }).toEqual({ exitCode: 8, page: 400 })
    expect(stderr).toContain('The redirect from the browser is not to be trusted')
    expect(fingerprint(home)).toBe(before)
  })
})

describe('an issuer', () => {
  test('that says it is another one is not signed in at', async () => {
    const home = newHome()
    const provider = await newProvider()
    const server = await listenOnLoopback()
    onTestFinished(() => server.close())
    server.serve((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ issuer: provider.issuer, ...endpointsAt(provider.issuer) }))
    })
    const { host } = new URL(server.origin)
    expect(await runCli(atProvider({ issuer: server.origin, clientId: 'any' }), { home })).toEqual({
      exitCode: 5,
      stdout: '',
      stderr: [
        `codex-auth: ${host} does not say that it is the issuer ${server.origin}.`,
        '  Next: check the address in --issuer',
        '',
      ].join('\n'),
    })
  })

  test('without metadata is not signed in at', async () => {
    const home = newHome()
    const server = await listenOnLoopback()
    onTestFinished(() => server.close())
    server.serve((_request, response) => response.writeHead(404).end())
    const { exitCode, stdout } = await runCli(atProvider({ issuer: server.origin, clientId: 'any' }), {
      home,
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
  })

  test('in plain http elsewhere than on this machine is refused without a request', async () => {
    const home = newHome()
    const { exitCode, stdout } = await runCli(
      atProvider({ issuer: 'http://login.invalid', clientId: 'any' }),
      { home },
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })
})

/** What happens to a login that was copied to another machine and refreshed there. */
async function spendElsewhere({ issuer, clientId }: OpenIdProvider, home: string): Promise<void> {
  const refreshToken = readSealedFile(home, 'default')?.credential.refreshToken ?? ''
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
  })
  await (await fetch(`${issuer}/token`, { method: 'POST', body })).text()
}

function endpointsAt(issuer: string): object {
  return {
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['code'],
  }
}
