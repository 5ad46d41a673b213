import { randomUUID } from 'node:crypto'
import { OAuth2Server } from 'oauth2-mock-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { atProvider, fingerprint, logIn, newHome } from '../support/e2e.ts'
import { recordSecret } from '../support/secrets.ts'

/** An OpenID server that shares no line with the other providers here: it sends no iss, and knows few scopes. */
let server: OAuth2Server

beforeEach(async () => {
  server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  server.service.on('beforeResponse', ({ body }: { body: Record<string, unknown> }) => {
    for (const name of ['access_token', 'refresh_token', 'id_token'] as const) {
      recordSecret(String(body[name]), name)
    }
  })
  // Two tokens of the same second would be the same.
  server.service.on('beforeTokenSigning', ({ payload }: { payload: Record<string, unknown> }) => {
    payload['jti'] = randomUUID()
  })
})

afterEach(() => server.stop())

test('a sign-in at another server saves a login that is renewed and revoked', async () => {
  const home = newHome()
  const { exitCode, page } = await logIn(atServer(), { home })
  const first = await runCli(['token'], { home })
  const refresh = await runCli(['refresh', '--quiet'], { home })
  const second = await runCli(['token'], { home })
  const logout = await runCli(['logout', '--quiet'], { home })
  const after = await runCli(['status'], { home })
  expect({ exitCode, page: page.status }).toEqual({ exitCode: 0, page: 200 })
  expect([first, refresh, second, logout, after].map((ended) => ended.exitCode)).toEqual([0, 0, 0, 0, 4])
  expect(second.stdout).toMatch(/^\S+\n$/)
  expect(second.stdout === first.stdout).toBe(false)
})

describe('an id token', () => {
  test.for([
    ['for another client', { aud: 'somebody-else' }],
    ['of another issuer', { iss: 'http://127.0.0.1:9' }],
    ['of another sign-in', { nonce: 'another-nonce' }],
    ['that is over', { exp: 1 }],
  ] as const)('%s ends the sign-in, and the login before stays', async ([, claims]) => {
    const home = newHome()
    await logIn(atServer(), { home })
    const before = fingerprint(home)
    server.service.on('beforeTokenSigning', ({ payload }: { payload: Record<string, unknown> }) => {
      // The access token has a scope, the id token has none.
      if (payload['scope'] === undefined) Object.assign(payload, claims)
    })
    const { exitCode, page } = await logIn(atServer(), { home })
    expect({ exitCode, page: page.status }).toEqual({ exitCode: 8, page: 400 })
    expect(fingerprint(home)).toBe(before)
  })
})

function atServer(): string[] {
  return atProvider({ issuer: server.issuer.url ?? '', clientId: 'any-client' })
}
