import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeIssuer, type FakeIssuer } from '../../support/fake-issuer.ts'
import { signIn } from '../../support/sign-in.ts'
import { authorizationRequest, get, listenForRedirect, postForm, postJson } from './plain-client.ts'
import type { Reply, RedirectTarget } from './plain-client.ts'

const SCOPE = 'openid profile email offline_access'

let issuer: FakeIssuer
let target: RedirectTarget

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  target = await listenForRedirect('localhost')
})

afterEach(async () => {
  await target.close()
  await issuer.close()
})

function request(parameters: Readonly<Record<string, string>> = {}) {
  return authorizationRequest(`${issuer.issuer}/oauth/authorize`, {
    client_id: issuer.clientId,
    redirect_uri: target.redirectUri,
    scope: SCOPE,
    ...parameters,
  })
}

function exchange(code: string | null | undefined, codeVerifier: string, changes = {}): Promise<Reply> {
  return postForm(`${issuer.issuer}/oauth/token`, {
    grant_type: 'authorization_code',
    client_id: issuer.clientId,
    code: code ?? '',
    redirect_uri: target.redirectUri,
    code_verifier: codeVerifier,
    ...changes,
  })
}

function refresh(refreshToken: unknown): Promise<Reply> {
  const body = { client_id: issuer.clientId, grant_type: 'refresh_token', refresh_token: refreshToken }
  return postJson(`${issuer.issuer}/oauth/token`, body)
}

function me(accessToken: unknown): Promise<Reply> {
  return get(`${issuer.issuer}/backend-api/me`, accessToken)
}

function claims(token: unknown): unknown {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString())
}

function refused(code: string): Reply {
  const message = 'Your refresh token can no longer be used. Please sign in again.'
  return { status: 401, body: { error: { message, type: 'invalid_request_error', param: null, code } } }
}

async function signedInCode() {
  const { url, codeVerifier } = request()
  await signIn(url)
  return { code: target.redirects.at(-1)?.get('code'), codeVerifier }
}

describe('the authorization endpoint', () => {
  test('sends the browser back with a code and the state', async () => {
    const { url, state } = request()
    const page = await signIn(url)
    expect({ status: page.status, text: page.text }).toEqual({
      status: 200,
      text: '<p>You may close this page.</p>',
    })
    expect(target.redirects.map((parameters) => Object.fromEntries(parameters))).toEqual([
      { code: expect.stringMatching(/^ac_[\w-]{43}$/), state },
    ])
  })

  test('sends further parameters with the code when asked to', async () => {
    issuer.behaviour.redirectParameters = { scope: SCOPE, iss: 'https://elsewhere.example' }
    const { url, state } = request()
    await signIn(url)
    expect(Object.fromEntries(target.redirects[0] ?? [])).toEqual({
      code: expect.any(String),
      scope: SCOPE,
      iss: 'https://elsewhere.example',
      state,
    })
  })

  test('sends an error instead when the person is to say no', async () => {
    issuer.behaviour.authorizationError = { error: 'access_denied', description: 'not today' }
    const { url, state } = request()
    await signIn(url)
    expect(Object.fromEntries(target.redirects[0] ?? [])).toEqual({
      error: 'access_denied',
      error_description: 'not today',
      state,
    })
  })

  test.each([
    ['another response type', { response_type: 'token' }, 'response_type must be code'],
    ['no scope', { scope: '' }, 'scope is required'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'code_challenge_method must be S256'],
    ['a challenge of another length', { code_challenge: 'short' }, 'code_challenge is not S256'],
  ])('refuses %s by a redirect', async (_, parameters, description) => {
    const { url, state } = request(parameters)
    await signIn(url)
    expect(Object.fromEntries(target.redirects[0] ?? [])).toEqual({
      error: 'invalid_request',
      error_description: description,
      state,
    })
  })

  test('never redirects for an unknown client or to an address that is not registered', async () => {
    const strict = await startFakeIssuer()
    const at = (parameters: Record<string, string>) =>
      signIn(authorizationRequest(`${strict.issuer}/oauth/authorize`, { scope: SCOPE, ...parameters }).url)
    const registered = { client_id: strict.clientId, redirect_uri: 'http://localhost:1455/auth/callback' }
    const pages = [
      await at({ ...registered, client_id: 'another' }),
      await at({ ...registered, redirect_uri: target.redirectUri }),
      await at({ ...registered, redirect_uri: 'http://localhost:1455/elsewhere' }),
      await at({ ...registered, redirect_uri: 'http://elsewhere.example:1455/auth/callback' }),
    ]
    await strict.close()
    expect(pages.map(({ status, text }) => [status, text])).toEqual([
      [400, 'unknown client_id'],
      [400, 'unregistered redirect_uri'],
      [400, 'unregistered redirect_uri'],
      [400, 'unregistered redirect_uri'],
    ])
    expect(target.redirects).toEqual([])
  })
})

describe('an authorization code', () => {
  test('is traded for tokens with OpenAI’s claims', async () => {
    const { code, codeVerifier } = await signedInCode()
    const { status, body } = await exchange(code, codeVerifier)
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: expect.toSatisfy((seconds: number) => seconds === 3600 || seconds === 3599),
        refresh_token: expect.stringMatching(/^rt_/),
        id_token: expect.any(String),
        scope: SCOPE,
      },
    })
    const account = {
      chatgpt_account_id: 'account-1',
      chatgpt_plan_type: 'plus',
      chatgpt_user_id: 'user-1',
      user_id: 'user-1',
    }
    expect(claims(body['access_token'])).toMatchObject({
      exp: expect.any(Number),
      'https://api.openai.com/auth': account,
      'https://api.openai.com/profile': { email: 'alice@example.com', email_verified: true },
    })
    expect(claims(body['id_token'])).toMatchObject({
      iss: issuer.issuer,
      aud: [issuer.clientId],
      sub: 'user-1',
      email: 'alice@example.com',
      'https://api.openai.com/auth': account,
    })
    expect(await me(body['access_token'])).toEqual({
      status: 200,
      body: { email: 'alice@example.com', account_id: 'account-1', user_id: 'user-1', plan: 'plus' },
    })
  })

  test('is worth nothing with another code verifier', async () => {
    const { code } = await signedInCode()
    expect(await exchange(code, 'another-verifier-of-the-right-length-and-alphabet')).toEqual({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'code_verifier does not match the code_challenge' },
    })
    expect(issuer.liveFamilies()).toBe(0)
  })

  test('is worth nothing with another redirect address', async () => {
    const { code, codeVerifier } = await signedInCode()
    const redirect_uri = target.redirectUri.replace('localhost', '127.0.0.1')
    expect(await exchange(code, codeVerifier, { redirect_uri })).toEqual({
      status: 400,
      body: {
        error: 'invalid_grant',
        error_description: 'redirect_uri is not the one of the authorization request',
      },
    })
  })

  test('used a second time ends the login of the first', async () => {
    const { code, codeVerifier } = await signedInCode()
    const first = await exchange(code, codeVerifier)
    const second = await exchange(code, codeVerifier)
    expect(second).toEqual({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'the code was used before' },
    })
    expect(await refresh(first.body['refresh_token'])).toEqual(refused('refresh_token_invalidated'))
    expect(await me(first.body['access_token'])).toEqual({
      status: 401,
      body: { error: { code: 'token_revoked' } },
    })
  })

  test('brings an id token that buys an API key', async () => {
    const { code, codeVerifier } = await signedInCode()
    const { body } = await exchange(code, codeVerifier)
    const buy = (subjectToken: unknown) =>
      postForm(`${issuer.issuer}/oauth/token`, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: issuer.clientId,
        requested_token: 'openai-api-key',
        subject_token: String(subjectToken),
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      })
    expect([await buy(body['id_token']), await buy(body['access_token'])]).toEqual([
      { status: 200, body: { access_token: expect.stringMatching(/^sk-proj-/) } },
      { status: 400, body: { error: 'invalid_grant' } },
    ])
    expect({ exchanges: issuer.exchanges, apiKeys: issuer.apiKeys }).toEqual({ exchanges: 1, apiKeys: 2 })
  })
})

describe('a refresh token', () => {
  test('is good once, for tokens that are all new', async () => {
    const login = issuer.issueLogin({ accessTokenLifetime: -60 })
    expect(await me(login.accessToken)).toEqual({ status: 401, body: { error: { code: 'token_expired' } } })
    const { status, body } = await refresh(login.refreshToken)
    expect({ status, names: Object.keys(body) }).toEqual({
      status: 200,
      names: ['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'],
    })
    expect(body['refresh_token']).not.toBe(login.refreshToken)
    expect((await me(body['access_token'])).status).toBe(200)
    expect(issuer.accepts(login.refreshToken)).toBe(false)
    expect(issuer.accepts(String(body['refresh_token']))).toBe(true)
  })

  test('spent twice ends the whole login', async () => {
    const login = issuer.issueLogin()
    const { body } = await refresh(login.refreshToken)
    expect(await refresh(login.refreshToken)).toEqual(refused('refresh_token_reused'))
    expect(await refresh(login.refreshToken)).toEqual(refused('refresh_token_invalidated'))
    expect(await refresh(body['refresh_token'])).toEqual(refused('refresh_token_invalidated'))
    expect((await me(body['access_token'])).body).toEqual({ error: { code: 'token_revoked' } })
    const { refreshes, spentTwice } = issuer
    expect({ refreshes, spentTwice, live: issuer.liveFamilies() }).toEqual({
      refreshes: 4,
      spentTwice: 2,
      live: 0,
    })
  })

  test('of another login lives on', async () => {
    const lost = issuer.issueLogin()
    const kept = issuer.issueLogin()
    await refresh(lost.refreshToken)
    await refresh(lost.refreshToken)
    expect((await refresh(kept.refreshToken)).status).toBe(200)
  })

  test('ends after its own lifetime', async () => {
    const login = issuer.issueLogin({ refreshTokenLifetime: 60 })
    issuer.behaviour.clockOffset = 61
    expect(await refresh(login.refreshToken)).toEqual(refused('refresh_token_expired'))
  })

  test('that nobody issued is an invalid grant', async () => {
    expect(await refresh('rt_made-up')).toEqual({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'unknown refresh token' },
    })
  })

  test('stays good, and is not sent again, where the issuer does not rotate', async () => {
    issuer.behaviour.rotate = false
    const login = issuer.issueLogin()
    const first = await refresh(login.refreshToken)
    const second = await refresh(login.refreshToken)
    expect([first.status, second.status, issuer.spentTwice]).toEqual([200, 200, 0])
    expect(Object.keys(first.body)).not.toContain('refresh_token')
  })

  test('is taken in JSON only, as OpenAI’s own client sends it', async () => {
    const { refreshToken } = issuer.issueLogin()
    const sent = { grant_type: 'refresh_token', client_id: issuer.clientId, refresh_token: refreshToken }
    expect((await postForm(`${issuer.issuer}/oauth/token`, sent)).status).toBe(400)
    expect(issuer.accepts(refreshToken)).toBe(true)
  })

  test('is spent by exactly one of 300 clients that bring it at once', async () => {
    const { refreshToken } = issuer.issueLogin()
    const replies = await Promise.all(Array.from({ length: 300 }, () => refresh(refreshToken)))
    const { refreshes, spentTwice } = issuer
    expect({ refreshes, spentTwice, ok: replies.filter(({ status }) => status === 200).length }).toEqual({
      refreshes: 300,
      spentTwice: 299,
      ok: 1,
    })
  })
})

describe('a revocation', () => {
  test('of a refresh token ends the login', async () => {
    const login = issuer.issueLogin()
    const body = {
      token: login.refreshToken,
      token_type_hint: 'refresh_token',
      client_id: issuer.clientId,
    }
    expect(await postJson(`${issuer.issuer}/oauth/revoke`, body)).toEqual({ status: 200, body: {} })
    expect(await refresh(login.refreshToken)).toEqual(refused('refresh_token_invalidated'))
    expect((await me(login.accessToken)).body).toEqual({ error: { code: 'token_revoked' } })
    expect(issuer.revocations).toBe(1)
  })

  test('of an access token ends nothing else', async () => {
    const login = issuer.issueLogin()
    const body = { token: login.accessToken, token_type_hint: 'access_token' }
    expect((await postJson(`${issuer.issuer}/oauth/revoke`, body)).status).toBe(200)
    expect((await me(login.accessToken)).body).toEqual({ error: { code: 'token_revoked' } })
    expect(issuer.accepts(login.refreshToken)).toBe(true)
  })
})

test('the journal has every request, and the secrets of all of them', async () => {
  const { code, codeVerifier } = await signedInCode()
  const { body } = await exchange(code, codeVerifier)
  await refresh(body['refresh_token'])
  const [, exchanged, refreshed] = issuer.requests
  expect(issuer.requests.map(({ method, path, contentType }) => [method, path, contentType])).toEqual([
    ['GET', '/oauth/authorize', ''],
    ['POST', '/oauth/token', 'application/x-www-form-urlencoded'],
    ['POST', '/oauth/token', 'application/json'],
  ])
  expect(exchanged?.parameters).toEqual({
    grant_type: 'authorization_code',
    client_id: issuer.clientId,
    code,
    redirect_uri: target.redirectUri,
    code_verifier: codeVerifier,
  })
  expect(refreshed?.headerNames).toEqual(Object.keys(refreshed?.headers ?? {}).toSorted())
  // State, code, verifier, and twice three tokens.
  expect(issuer.secrets.size).toBe(9)
  expect([...issuer.secrets]).toEqual(expect.arrayContaining([code, codeVerifier, body['access_token']]))
})
