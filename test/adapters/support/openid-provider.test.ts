import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'rolldown'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startOpenIdProvider, type OpenIdProvider } from '../../support/openid-provider.ts'
import { CookieJar, denySignIn, signIn } from '../../support/sign-in.ts'
import { authorizationRequest, get, leaveHalfway, listenForRedirect, postForm } from './plain-client.ts'
import type { Reply, RedirectTarget } from './plain-client.ts'

let provider: OpenIdProvider
let target: RedirectTarget

beforeEach(async () => {
  provider = await startOpenIdProvider({ accessTokenLifetime: 120 })
  target = await listenForRedirect()
})

afterEach(async () => {
  await target.close()
  await provider.close()
})

function request() {
  return authorizationRequest(`${provider.issuer}/auth`, {
    client_id: provider.clientId,
    redirect_uri: target.redirectUri,
    scope: 'openid email offline_access',
    prompt: 'consent',
  })
}

async function login(options: { login?: string; cookies?: CookieJar } = {}): Promise<Reply> {
  const { url, codeVerifier } = request()
  await signIn(url, options)
  return exchange(codeVerifier)
}

function exchange(codeVerifier: string): Promise<Reply> {
  return postForm(`${provider.issuer}/token`, {
    grant_type: 'authorization_code',
    client_id: provider.clientId,
    code: target.redirects.at(-1)?.get('code') ?? '',
    redirect_uri: target.redirectUri,
    code_verifier: codeVerifier,
  })
}

function refresh(refreshToken: unknown): Promise<Reply> {
  return postForm(`${provider.issuer}/token`, {
    grant_type: 'refresh_token',
    client_id: provider.clientId,
    refresh_token: String(refreshToken),
  })
}

function revoke(token: unknown): Promise<Reply> {
  return postForm(`${provider.issuer}/token/revocation`, {
    client_id: provider.clientId,
    token: String(token),
  })
}

describe('a person at the provider', () => {
  test('signs in, agrees, and lands on the page of our listener', async () => {
    const { url, state } = request()
    const page = await signIn(url)
    expect({ status: page.status, text: page.text }).toEqual({
      status: 200,
      text: '<p>You may close this page.</p>',
    })
    expect(target.redirects.map((parameters) => Object.fromEntries(parameters))).toEqual([
      { code: expect.any(String), state, iss: provider.issuer },
    ])
  })

  test('is the account that was typed', async () => {
    const { status, body } = await login({ login: 'bob' })
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 120,
        refresh_token: expect.any(String),
        id_token: expect.any(String),
        scope: 'openid email offline_access',
      },
    })
    expect(await get(`${provider.issuer}/me`, body['access_token'])).toEqual({
      status: 200,
      body: { sub: 'bob', email: 'bob@example.com', email_verified: true },
    })
  })

  test('says no', async () => {
    const { url, state } = request()
    const page = await denySignIn(url)
    expect(page.status).toBe(200)
    expect(Object.fromEntries(target.redirects[0] ?? [])).toEqual({
      error: 'access_denied',
      error_description: 'End-User aborted interaction',
      state,
      iss: provider.issuer,
    })
  })

  test('is not asked for a login again in the same browser', async () => {
    const cookies = new CookieJar()
    await login({ login: 'bob', cookies })
    const { body } = await login({ login: 'carol', cookies })
    expect((await get(`${provider.issuer}/me`, body['access_token'])).body['sub']).toBe('bob')
  })

  test('allows a device', async () => {
    const { body } = await postForm(`${provider.issuer}/device/auth`, {
      client_id: provider.clientId,
      scope: 'openid email offline_access',
      prompt: 'consent',
    })
    const page = await signIn(String(body['verification_uri_complete']))
    expect(page.text).toContain('Sign-in Success')
    const polled = await postForm(`${provider.issuer}/token`, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: provider.clientId,
      device_code: String(body['device_code']),
    })
    expect({ status: polled.status, names: Object.keys(polled.body) }).toEqual({
      status: 200,
      names: ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'],
    })
  })
})

describe('a refresh token of the provider', () => {
  test('rotates, and used twice ends the login', async () => {
    const { body } = await login()
    const first = await refresh(body['refresh_token'])
    expect(first.status).toBe(200)
    expect((await refresh(body['refresh_token'])).body).toEqual({
      error: 'invalid_grant',
      error_description: 'grant request is invalid',
    })
    expect((await refresh(first.body['refresh_token'])).status).toBe(400)
    const { refreshes, refusedRefreshes } = provider
    expect({ refreshes, refusedRefreshes }).toEqual({ refreshes: 3, refusedRefreshes: 2 })
  })

  test('is revoked, and its access token with it', async () => {
    const { body } = await login()
    const introspect = () =>
      postForm(`${provider.issuer}/token/introspection`, {
        client_id: provider.clientId,
        token: String(body['refresh_token']),
      })
    expect((await introspect()).body).toMatchObject({ active: true, client_id: provider.clientId })
    expect((await revoke(body['refresh_token'])).status).toBe(200)
    expect((await introspect()).body).toEqual({ active: false })
    expect((await refresh(body['refresh_token'])).status).toBe(400)
    expect((await get(`${provider.issuer}/me`, body['access_token'])).status).toBe(401)
    expect(provider.revocations).toBe(1)
  })

  test('is one of the secrets, as is everything that was issued or sent', async () => {
    const { url, state, codeVerifier } = request()
    await signIn(url)
    const code = target.redirects[0]?.get('code')
    expect(provider.secrets).toEqual(new Set([state, code]))
    const { body } = await exchange(codeVerifier)
    const rotated = await refresh(body['refresh_token'])
    const issued = [body, rotated.body].flatMap((tokens) => [
      tokens['access_token'],
      tokens['refresh_token'],
      tokens['id_token'],
    ])
    expect(provider.secrets).toEqual(new Set([state, code, codeVerifier, ...issued]))
  })

  test('brings access tokens as long-lived as is asked for at the time', async () => {
    const { body } = await login()
    provider.accessTokenLifetime = 7
    expect((await refresh(body['refresh_token'])).body['expires_in']).toBe(7)
  })

  test('brings access tokens that end when they say', async () => {
    provider.accessTokenLifetime = 1
    const { body } = await login()
    const me = () => get(`${provider.issuer}/me`, body['access_token'])
    await vi.waitFor(async () => expect((await me()).status).toBe(401), { timeout: 4000 })
  })
})

describe('two logins, the first of which is revoked,', () => {
  test('end together in one browser: the provider has one grant for both', async () => {
    const cookies = new CookieJar()
    const first = await login({ cookies })
    const second = await login({ cookies })
    await revoke(first.body['refresh_token'])
    expect((await refresh(second.body['refresh_token'])).status).toBe(400)
  })

  test('do not touch each other in two browsers', async () => {
    const first = await login({ cookies: new CookieJar() })
    const second = await login({ cookies: new CookieJar() })
    await revoke(first.body['refresh_token'])
    expect((await refresh(second.body['refresh_token'])).status).toBe(200)
  })
})

test('a client that goes away in the middle of its request is no fault of the provider', async () => {
  const leaving = await startOpenIdProvider()
  await leaveHalfway(`${leaving.issuer}/token`)
  await expect(leaving.close()).resolves.toBe(undefined)
})

test('the provider and the fake issuer run in a plain program, and print nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-program-'))
  const program = `
    import { startFakeIssuer } from ${JSON.stringify(support('fake-issuer.ts'))}
    import { startOpenIdProvider } from ${JSON.stringify(support('openid-provider.ts'))}
    const provider = await startOpenIdProvider()
    const issuer = await startFakeIssuer()
    await fetch(provider.issuer + '/auth').then((response) => response.text())
    await Promise.all([provider.close(), issuer.close()])
  `
  try {
    await build({
      input: 'program',
      platform: 'node',
      logLevel: 'silent',
      plugins: [
        {
          name: 'program',
          resolveId: (id) => (id === 'program' ? id : undefined),
          load: (id) => (id === 'program' ? program : undefined),
        },
      ],
      output: { dir: folder, entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    })
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'program.mjs')], {
      encoding: 'utf8',
      timeout: 10_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function support(file: string): string {
  return join(import.meta.dirname, '../../support', file)
}
