import { describe, expect, it } from 'vitest'
import type { AuthorizationRequest } from '../../../src/core/ports.ts'
import { once } from '../../support/refresh-request.ts'
import { answers, credentialOf, jwt } from '../../support/fake-issuer.ts'
import { told } from './faults.ts'
import { now, openOpenAi, REDIRECT_URI, redirectOf, startOpenAi } from './openai-at-fake-issuer.ts'
import { happening, stopTime } from './time.ts'

const ALICE = { email: 'alice@example.com', id: 'account-1', userId: 'user-1', plan: 'plus' }
const never = new AbortController().signal

const parametersOf = ({ url }: AuthorizationRequest): [string, string][] => [...new URL(url).searchParams]

describe('the provider openai', () => {
  it('is OpenAI with the client of its own tools, unless told', async () => {
    const { name, method, issuer, clientId, scopes } = await openOpenAi()
    expect({ name, method, issuer, clientId, scopes }).toEqual({
      name: 'openai',
      method: 'chatgpt',
      issuer: 'https://auth.openai.com',
      clientId: 'app_EMoamEEZ73f0CkXaXp7hrann',
      scopes: ['openid', 'profile', 'email', 'offline_access'],
    })
  })

  it('is what it is told to be', async () => {
    const chosen = { issuer: 'https://auth.example.com/a/', clientId: 'app_other', scopes: ['openid'] }
    const { issuer, clientId, scopes } = await openOpenAi(chosen)
    expect({ issuer, clientId, scopes }).toEqual({ ...chosen, issuer: 'https://auth.example.com/a' })
  })

  it('is not opened for an issuer that is none', async () => {
    expect(await told(openOpenAi({ issuer: 'http://auth.example.com' }))).toMatchObject({ code: 'usage' })
  })

  it('has nothing to discover', async () => {
    await expect((await openOpenAi()).discover(never)).resolves.toBeUndefined()
  })
})

describe('the authorization request', () => {
  it('has all parameters in the order of OpenAI, and fresh secrets', async () => {
    const provider = await openOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const { url, ...secrets } = request
    expect(url).toMatch(/^https:\/\/auth\.openai\.com\/oauth\/authorize\?response_type=code&/)
    expect(url).toContain('&scope=openid+profile+email+offline_access&')
    expect(secrets).toEqual({
      state: expect.stringMatching(/^[\w-]{43}$/),
      codeVerifier: expect.stringMatching(/^[\w-]{43}$/),
      redirectUri: REDIRECT_URI,
      nonce: undefined,
      issuerInRedirect: false,
    })
    expect(parametersOf(request)).toEqual([
      ['response_type', 'code'],
      ['client_id', 'app_EMoamEEZ73f0CkXaXp7hrann'],
      ['redirect_uri', REDIRECT_URI],
      ['code_challenge', expect.stringMatching(/^[\w-]{43}$/)],
      ['code_challenge_method', 'S256'],
      ['state', request.state],
      ['scope', 'openid profile email offline_access'],
      ['id_token_add_organizations', 'true'],
      ['codex_cli_simplified_flow', 'true'],
      ['originator', 'codex_cli_rs'],
    ])
    const second = await provider.authorizationRequest(REDIRECT_URI, [])
    expect(second.state).not.toBe(request.state)
    expect(second.codeVerifier).not.toBe(request.codeVerifier)
  })

  it('names the workspaces that may be chosen, at the end', async () => {
    const provider = await openOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, ['ws-1', 'ws-2'])
    expect(request.url).toMatch(/&originator=codex_cli_rs&allowed_workspace_id=ws-1%2Cws-2$/)
    expect(parametersOf(request).at(-1)).toEqual(['allowed_workspace_id', 'ws-1,ws-2'])
  })
})

describe('the exchange', () => {
  it('trades the code for tokens, in a form', async () => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const redirect = await redirectOf(request)
    const tokens = await provider.exchange(request, redirect)
    expect(tokens).toEqual({
      accessToken: expect.stringMatching(/^eyJ/),
      tokenType: 'Bearer',
      refreshToken: expect.stringMatching(/^rt_/),
      idToken: expect.stringMatching(/^eyJ/),
      expiresAt: expect.any(Number),
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      account: ALICE,
      clockSkew: 0,
    })
    expect(Math.abs((tokens.expiresAt ?? 0) - now() - 3600)).toBeLessThan(30)
    expect(issuer.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/oauth/token',
      contentType: 'application/x-www-form-urlencoded',
      parameters: {
        grant_type: 'authorization_code',
        client_id: issuer.clientId,
        code: redirect.get('code'),
        redirect_uri: REDIRECT_URI,
        code_verifier: request.codeVerifier,
      },
    })
    expect(issuer.exchanges).toBe(1)
  })

  it('works with an id token that says nothing, by what the access token says', async () => {
    const { issuer, provider } = await startOpenAi()
    for (const idToken of [
      'opaque',
      jwt({ iss: 'https://elsewhere.example.com', exp: 1, nonce: 'x' }),
      undefined,
      7,
    ]) {
      const request = await provider.authorizationRequest(REDIRECT_URI, [])
      issuer.nextAnswers.push(answers.with({ id_token: idToken }))
      const { account } = await provider.exchange(request, await redirectOf(request))
      expect(account).toEqual(ALICE)
    }
  })

  it('works with tokens that name no account at all', async () => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    issuer.nextAnswers.push(
      answers.with({ id_token: 'opaque', access_token: 'at-opaque', expires_in: undefined }),
    )
    const { account, expiresAt } = await provider.exchange(request, await redirectOf(request))
    expect({ account, expiresAt }).toEqual({ account: undefined, expiresAt: undefined })
  })

  it('shows no name that could steer a terminal', async () => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const auth = {
      user_id: 'user-2',
      chatgpt_user_id: '',
      chatgpt_plan_type: 'pl\u{1b}[31mus',
      chatgpt_account_id: 7,
    }
    const claims = { email: 'a\n@example.com', 'https://api.openai.com/auth': auth }
    issuer.nextAnswers.push(answers.with({ id_token: jwt(claims), access_token: 'at-opaque' }))
    const { account } = await provider.exchange(request, await redirectOf(request))
    expect(account).toEqual({ email: undefined, id: undefined, userId: 'user-2', plan: undefined })
  })

  it('ends the sign-in when the code is refused', async () => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const redirect = await redirectOf(request)
    await provider.exchange(request, redirect)
    expect(await told(provider.exchange(request, redirect))).toEqual({
      code: 'login_failed',
      message: `${new URL(issuer.issuer).host} did not accept the authorization code (invalid_grant).`,
    })
  })
})

describe('the refresh', () => {
  it('sends the token once, in JSON, with its reason', async () => {
    const { issuer, provider } = await startOpenAi()
    const login = issuer.issueLogin()
    const outcome = await provider.refresh(credentialOf(login), once('proactive_expiry'))
    expect(outcome).toEqual({
      kind: 'tokens',
      tokens: {
        accessToken: expect.stringMatching(/^eyJ/),
        tokenType: 'Bearer',
        refreshToken: expect.stringMatching(/^rt_/),
        idToken: expect.stringMatching(/^eyJ/),
        expiresAt: expect.any(Number),
        scopes: ['openid', 'profile', 'email', 'offline_access'],
        account: ALICE,
        clockSkew: 0,
      },
    })
    expect(issuer.requests).toMatchObject([
      {
        method: 'POST',
        path: '/oauth/token',
        contentType: 'application/json',
        headers: { originator: 'codex_cli_rs', 'user-agent': 'codex-auth', connection: 'close' },
        parameters: {
          client_id: issuer.clientId,
          grant_type: 'refresh_token',
          refresh_reason: 'proactive_expiry',
          refresh_token: login.refreshToken,
        },
      },
    ])
  })

  it('tells by which clock the provider goes', async () => {
    const { issuer, provider } = await startOpenAi()
    issuer.behaviour.clockOffset = -7200
    const outcome = await provider.refresh(credentialOf(issuer.issueLogin()), once('forced'))
    if (outcome.kind !== 'tokens') throw new Error('refused')
    expect(Math.abs(outcome.tokens.clockSkew + 7200)).toBeLessThanOrEqual(2)
    expect(Math.abs((outcome.tokens.expiresAt ?? 0) - now() - 3600)).toBeLessThan(30)
  })

  it('is refused for a spent token, and for all of its family after it', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = credentialOf(issuer.issueLogin())
    await provider.refresh(credential, once('forced'))
    expect(await provider.refresh(credential, once('forced'))).toEqual({ kind: 'refused', reason: 'reused' })
    expect(await provider.refresh(credential, once('forced'))).toEqual({ kind: 'refused', reason: 'revoked' })
  })

  it('is refused for a token that has expired, and for an unknown one', async () => {
    const { issuer, provider } = await startOpenAi()
    const expired = credentialOf(issuer.issueLogin({ refreshTokenLifetime: -1 }))
    expect(await provider.refresh(expired, once('forced'))).toEqual({ kind: 'refused', reason: 'expired' })
    const unknown = { ...expired, refreshToken: 'rt_unknown' }
    expect(await provider.refresh(unknown, once('forced'))).toEqual({ kind: 'refused', reason: 'rejected' })
  })

  it('needs a refresh token', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = { ...credentialOf(issuer.issueLogin()), refreshToken: undefined }
    expect(await told(provider.refresh(credential, once('forced')))).toEqual({
      code: 'not_refreshable',
      message: 'This login has no refresh token, so it cannot be refreshed.',
    })
    expect(issuer.requests).toEqual([])
  })
})

describe('the revocation', () => {
  it('ends the whole login by its refresh token', async () => {
    const { issuer, provider } = await startOpenAi()
    const login = issuer.issueLogin()
    expect(await provider.revoke(credentialOf(login), never)).toBe(true)
    expect(issuer.liveFamilies()).toBe(0)
    expect(issuer.requests).toMatchObject([
      {
        path: '/oauth/revoke',
        contentType: 'application/json',
        parameters: {
          token: login.refreshToken,
          token_type_hint: 'refresh_token',
          client_id: issuer.clientId,
        },
      },
    ])
  })

  it('ends an access token that stands alone, without a client id', async () => {
    const { issuer, provider } = await startOpenAi()
    const login = issuer.issueLogin()
    expect(await provider.revoke({ ...credentialOf(login), refreshToken: undefined }, never)).toBe(true)
    expect(issuer.accepts(login.accessToken)).toBe(false)
    expect(issuer.requests[0]?.parameters).toEqual({
      token: login.accessToken,
      token_type_hint: 'access_token',
    })
  })

  it('is not confirmed by any other answer than a success', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = credentialOf(issuer.issueLogin())
    const host = new URL(issuer.issuer).host
    issuer.nextRevocationAnswers.push(answers.html(503), answers.redirect(302, '/'))
    expect(await told(provider.revoke(credential, never))).toEqual({
      code: 'provider_failed',
      message: `${host} answered 503.`,
      mayRetry: true,
    })
    expect(await told(provider.revoke(credential, never))).toMatchObject({ code: 'invalid_answer' })
  })

  it('waits no longer than 5 seconds', async () => {
    const pass = stopTime()
    const asked = happening()
    const { issuer, provider } = await startOpenAi()
    issuer.nextRevocationAnswers.push({ ...answers.silence, beforeAnswer: async () => asked.happen() })
    const revoked = told(provider.revoke(credentialOf(issuer.issueLogin()), never))
    await asked.happened
    pass(5000)
    expect(await revoked).toEqual({
      code: 'timeout',
      message: `${new URL(issuer.issuer).host} did not answer within 5 s.`,
      mayRetry: false,
    })
  })

  it('ends with the signal', async () => {
    const { issuer, provider } = await startOpenAi()
    const interruption = new AbortController()
    const reason = new Error('enough')
    issuer.nextRevocationAnswers.push({
      ...answers.silence,
      beforeAnswer: async () => interruption.abort(reason),
    })
    const revoked = provider.revoke(credentialOf(issuer.issueLogin()), interruption.signal)
    await expect(revoked).rejects.toBe(reason)
  })
})
