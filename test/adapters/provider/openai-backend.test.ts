import { describe, expect, onTestFinished, test } from 'vitest'
import { providers } from '../../../src/adapters/provider/providers.ts'
import type { Credential } from '../../../src/core/credential.ts'
import type { Provider } from '../../../src/core/ports.ts'
import { sampleCredential, freshSecret, NOW } from '../../support/credentials.ts'
import { startFakeBackend, type FakeBackend } from '../../support/fake-backend.ts'
import { answers } from '../../support/fake-issuer.ts'
import { recordSecret } from '../../support/secrets.ts'
import { unsigned } from './answers.ts'
import { told } from './faults.ts'

const signal = new AbortController().signal
const WHOAMI = '/api/accounts/v1/user-auth-credential/whoami'
const USUAL = { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'codex-auth' }

interface Started {
  readonly backend: FakeBackend
  readonly provider: Provider
  readonly credential: Credential
}

/** The provider where this login, and no other, is known. */
async function start(changes: Partial<Credential> = {}, base = '/backend-api'): Promise<Started> {
  const credential = sampleCredential(changes)
  const backend = await startFakeBackend({ accepts: (token) => token === credential.accessToken })
  onTestFinished(() => backend.close())
  const bases = { chatgpt: `${backend.origin}${base}`, openai: backend.openaiBaseUrl }
  const choice = { name: 'openai', issuer: backend.origin, clientId: 'app', scopes: undefined } as const
  return { backend, credential, provider: await providers({ now: () => NOW }, bases).open(choice) }
}

function personalToken(): string {
  const token = `at-${freshSecret('access_token')}`
  recordSecret(token, 'access_token')
  return token
}

function withClaim(claim: object): string {
  return unsigned({ 'https://api.openai.com/auth': claim })
}

describe("a ChatGPT login's access token", () => {
  test('is tried where use is told, with its workspace', async () => {
    const { backend, provider, credential } = await start()
    expect(await provider.verify(credential, signal)).toBe('valid')
    expect(backend.requests).toEqual([
      {
        method: 'GET',
        path: '/backend-api/wham/usage',
        headers: { ...USUAL, authorization: 'Bearer', 'chatgpt-account-id': 'account-1' },
      },
    ])
  })

  test('is refused when it is not accepted', async () => {
    const { provider, credential } = await start()
    const other = { ...credential, accessToken: freshSecret('access_token') }
    expect(await provider.verify(other, signal)).toBe('refused')
    expect(await provider.usage(other, signal)).toBe('refused')
  })

  test.each([
    ['no workspace is known', undefined],
    ['the workspace could not be a header', 'a\r\nb'],
  ])('goes alone where %s', async (_, id) => {
    const account = { email: undefined, id, userId: undefined, plan: undefined }
    const { backend, provider, credential } = await start({ account })
    await provider.verify(credential, signal)
    expect(backend.requests[0]?.headers).toEqual({ ...USUAL, authorization: 'Bearer' })
  })

  test.each([
    ['id token', { idToken: withClaim({ chatgpt_account_is_fedramp: true }) }],
    ['access token', { idToken: undefined, accessToken: withClaim({ chatgpt_account_is_fedramp: true }) }],
  ])('is routed to the government where its %s says so', async (_, changes) => {
    const { backend, provider, credential } = await start(changes)
    expect(await provider.verify(credential, signal)).toBe('valid')
    expect(backend.requests[0]?.headers).toMatchObject({ 'x-openai-fedramp': 'true' })
  })

  test('is tried at the other path of a gateway', async () => {
    const { backend, provider, credential } = await start({}, '/gateway')
    expect(await provider.verify(credential, signal)).toBe('valid')
    expect(backend.requests.map(({ path }) => path)).toEqual(['/gateway/api/codex/usage'])
  })

  test('says nothing where the answer is no usage', async () => {
    const { backend, provider, credential } = await start()
    const { host } = new URL(backend.origin)
    backend.nextAnswers.push(answers.html(200), answers.json(200, { ok: true }))
    expect(await told(provider.verify(credential, signal))).toMatchObject({
      code: 'invalid_answer',
      message: `${host} answered 200 with text/html, which is not JSON.`,
    })
    expect(await told(provider.usage(credential, signal))).toMatchObject({
      code: 'invalid_answer',
      message: `${host} answered 200 with nothing of what was asked for.`,
    })
  })

  test('says nothing of its use where it may not ask for it', async () => {
    const { backend, provider, credential } = await start()
    backend.nextAnswers.push(answers.json(403, { error: { message: 'Missing scopes: x' } }))
    expect(await told(provider.usage(credential, signal))).toMatchObject({ code: 'provider_failed' })
  })

  test('tells how much is used', async () => {
    const { provider, credential } = await start()
    expect(await provider.usage(credential, signal)).toMatchObject({
      plan: 'plus',
      limits: [{ windows: [{ length: 18_000, usedPercent: 42, resetsAt: NOW + 7800 }, { length: 604_800 }] }],
    })
  })
})

describe('a personal access token', () => {
  test('is asked whose it is', async () => {
    const { backend, provider, credential } = await start({
      method: 'access_token',
      accessToken: personalToken(),
    })
    expect(await provider.verify(credential, signal)).toBe('valid')
    expect(backend.requests).toEqual([
      { method: 'GET', path: WHOAMI, headers: { ...USUAL, authorization: 'Bearer' } },
    ])
  })

  test('asks for its use with the workspace that it was told', async () => {
    const { backend, provider, credential } = await start({ accessToken: personalToken() })
    backend.holder = { ...backend.holder, chatgpt_account_is_fedramp: true }
    expect(await provider.usage(credential, signal)).toMatchObject({ plan: 'plus' })
    expect(backend.requests.map(({ path, headers }) => [path, headers['chatgpt-account-id']])).toEqual([
      [WHOAMI, undefined],
      ['/backend-api/wham/usage', 'account-9'],
    ])
    expect(backend.requests[1]?.headers).toMatchObject({ 'x-openai-fedramp': 'true' })
  })

  test('is refused when nobody knows it', async () => {
    const { backend, provider, credential } = await start()
    const other = { ...credential, accessToken: personalToken() }
    expect([await provider.verify(other, signal), await provider.usage(other, signal)]).toEqual([
      'refused',
      'refused',
    ])
    expect(backend.requests.map(({ path }) => path)).toEqual([WHOAMI, WHOAMI])
  })
})

describe('an API key', () => {
  test('lists the models, without any workspace', async () => {
    const { backend, provider, credential } = await start({ method: 'api_key' })
    expect(await provider.verify(credential, signal)).toBe('valid')
    expect(backend.requests).toEqual([
      { method: 'GET', path: '/v1/models', headers: { ...USUAL, authorization: 'Bearer' } },
    ])
  })

  test('that may not list models is a key all the same', async () => {
    const { backend, provider, credential } = await start({ method: 'api_key' })
    const message = 'You have insufficient permissions for this operation. Missing scopes: api.model.read.'
    backend.nextAnswers.push(answers.json(403, { error: { message, code: null } }))
    expect(await provider.verify(credential, signal)).toBe('valid')
  })

  test('that is unknown is refused', async () => {
    const { provider, credential } = await start({ method: 'api_key' })
    const other = { ...credential, accessToken: freshSecret('api_key') }
    expect(await provider.verify(other, signal)).toBe('refused')
  })

  test('has no plan to tell of', async () => {
    const { backend, provider, credential } = await start({ method: 'api_key' })
    expect(await provider.usage(credential, signal)).toBeUndefined()
    expect(backend.requests).toEqual([])
  })
})
