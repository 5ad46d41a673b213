import { describe, expect, test } from 'vitest'
import { apiKey } from '../../src/core/api-key.ts'
import type { Credential } from '../../src/core/credential.ts'
import { AuthError } from '../../src/errors.ts'
import { freshSecret, NOW, sampleCredential } from '../support/credentials.ts'
import { freshTokens, MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

interface Asking {
  readonly mayRefresh?: boolean
  readonly environment?: Credential
  /** Seconds that an id token lives more, by this machine's clock. */
  readonly idTokenLeft?: number | undefined
}

async function keyOf(ports: MemoryPorts, asking: Asking = {}) {
  const { mayRefresh = true, environment, idTokenLeft = 60 } = asking
  const { store, providers, clock, interruption } = ports
  const expiresAt = NOW + idTokenLeft
  const factsOf = () => ({ account: undefined, expiresAt, isJwt: true, scopes: undefined })
  const request = { profile: PROFILE, minTtl: undefined, mayRefresh }
  const { stored, short } = await apiKey(request, {
    store,
    providers,
    clock,
    interruption,
    environment,
    factsOf,
  })
  return { ...stored.credential, short }
}

const OPEN = 'open https://auth.openai.com'
const MINTED = ['lock', OPEN, 'reserve', 'mint', 'save', 'release', 'unlock']

describe('the API key of a login', () => {
  test('is minted under the lock, with room to keep it, and saved before anybody gets it', async () => {
    const login = sampleCredential()
    const ports = new MemoryPorts(login)
    expect(await keyOf(ports)).toEqual({
      method: 'api_key',
      provider: 'openai',
      issuer: 'https://auth.openai.com',
      clientId: '',
      accessToken: ports.apiKey,
      tokenType: 'Bearer',
      obtainedAt: login.obtainedAt,
      scopes: [],
      account: login.account,
      clockSkew: 0,
      short: false,
    })
    expect(ports.journal).toEqual(MINTED)
    expect(ports.stored?.credential).toEqual({ ...login, mintedApiKey: ports.apiKey })
  })

  test.each([
    ['a login that lives', {}],
    ['one that the provider will not renew', { refusal: { reason: 'reused', at: NOW } as const }],
  ])('is the one that was minted before: %s', async (_, changes) => {
    const mintedApiKey = freshSecret('api_key')
    const ports = new MemoryPorts(sampleCredential({ mintedApiKey, ...changes }))
    expect(await keyOf(ports, { mayRefresh: false })).toMatchObject({ accessToken: mintedApiKey })
    expect(ports.journal).toEqual([])
  })

  test('is the one that was given by hand, or by the environment', async () => {
    const key = sampleCredential({ method: 'api_key' })
    expect(await keyOf(new MemoryPorts(key))).toMatchObject({ accessToken: key.accessToken })
    const environment = sampleCredential({ method: 'api_key' })
    expect(await keyOf(new MemoryPorts(key), { environment })).toMatchObject({
      accessToken: environment.accessToken,
    })
  })

  test('is the one that another process has minted meanwhile', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const mintedApiKey = freshSecret('api_key')
    ports.before.set('lock', () => ports.replace(sampleCredential({ mintedApiKey })))
    expect(await keyOf(ports)).toMatchObject({ accessToken: mintedApiKey })
    expect(ports.journal).toEqual([])
  })

  test('goes to the login as it is by then', async () => {
    const login = sampleCredential()
    const ports = new MemoryPorts(login)
    const renewed = { ...login, refreshToken: freshSecret('refresh_token') }
    ports.before.set('mint', () => ports.replace(renewed))
    await keyOf(ports)
    expect(ports.stored?.credential).toEqual({ ...renewed, mintedApiKey: ports.apiKey })
  })

  test.each([
    ['another sign-in', { obtainedAt: NOW }],
    ['another account', { account: { email: undefined, id: 'b', userId: undefined, plan: undefined } }],
  ])('does not go to the login that %s has brought meanwhile', async (_, changes) => {
    const login = sampleCredential()
    const ports = new MemoryPorts(login)
    const other = { ...login, ...changes }
    ports.before.set('mint', () => ports.replace(other))
    expect(await rejected(keyOf(ports))).toEqual({
      code: 'no_api_key',
      exitCode: 4,
      message:
        'Another login took the place of the one that the API key is for. The new API key is lost here, and works.',
      nextStep: 'delete the new key at https://platform.openai.com/api-keys, then run the command again',
    })
    expect(ports.stored?.credential).toBe(other)
  })

  test('brings back no login that was removed meanwhile, and it is said that it is lost', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('mint', () => ports.replace(undefined))
    expect(await rejected(keyOf(ports))).toEqual({
      code: 'no_api_key',
      exitCode: 4,
      message: 'The login that the API key is for is gone. The new API key is lost here, and works.',
      nextStep: 'delete the new key at https://platform.openai.com/api-keys, then run the command again',
    })
    expect(ports.stored).toBeUndefined()
  })

  test('is saved with its login where the file was damaged meanwhile', async () => {
    const login = sampleCredential()
    const ports = new MemoryPorts(login)
    ports.before.set('mint', () => ports.faults.set('read', new AuthError('store_corrupt', 'It is damaged.')))
    expect(await keyOf(ports)).toMatchObject({ accessToken: ports.apiKey })
    expect(ports.stored?.credential).toEqual({ ...login, mintedApiKey: ports.apiKey })
  })
})

describe('an id token', () => {
  const REFRESHED = [
    'lock',
    OPEN,
    'discover',
    'reserve',
    'spend the stored',
    'refresh, forced, for 0 s',
    'save',
    'release',
    'unlock',
  ]

  test.each<[string, Partial<Credential>, number]>([
    ['has expired', {}, 0],
    ['is missing', { idToken: undefined }, 60],
    ["has expired by the provider's clock", { clockSkew: 120 }, 60],
  ])('that %s is renewed first', async (_, changes, idTokenLeft) => {
    const ports = new MemoryPorts(sampleCredential(changes))
    expect(await keyOf(ports, { idTokenLeft })).toMatchObject({ accessToken: ports.apiKey })
    expect(ports.journal).toEqual([...REFRESHED, ...MINTED])
  })

  test('that another process has renewed meanwhile is not renewed again', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('lock', () => {
      ports.before.delete('lock')
      ports.replace(sampleCredential())
    })
    await keyOf(ports, { idTokenLeft: 0 })
    expect(ports.journal).toEqual(MINTED)
  })

  test('that the provider does not give ends it', async () => {
    const ports = new MemoryPorts(sampleCredential({ idToken: undefined }))
    ports.outcome = { kind: 'tokens', tokens: freshTokens({ idToken: undefined }) }
    expect(await rejected(keyOf(ports))).toEqual({
      code: 'no_api_key',
      exitCode: 4,
      message: 'The provider gave this login no id token to get an API key with.',
      nextStep: 'use the access token (codex-auth token), or a key from https://platform.openai.com/api-keys',
    })
  })

  test('that has expired with a login that cannot be renewed ends it', async () => {
    const ports = new MemoryPorts(sampleCredential({ refreshToken: undefined }))
    expect(await rejected(keyOf(ports, { idTokenLeft: 0 }))).toMatchObject({ code: 'not_refreshable' })
  })
})

describe('no API key', () => {
  test.each<[string, Credential | undefined, Asking, object]>([
    ['where nobody is signed in', undefined, {}, { code: 'not_logged_in' }],
    [
      'for a login that is refused',
      sampleCredential({ refusal: { reason: 'reused', at: NOW } }),
      {},
      { code: 'refresh_refused' },
    ],
    [
      'at another provider',
      sampleCredential({ method: 'oauth', provider: 'oidc', issuer: 'https://login.example.com' }),
      {},
      {
        code: 'usage',
        exitCode: 2,
        message: 'Only a login at OpenAI can have an API key; this one is at https://login.example.com.',
        nextStep: 'use the access token: codex-auth token',
      },
    ],
    [
      'for an access token given by hand',
      sampleCredential({ method: 'access_token' }),
      {},
      {
        code: 'usage',
        exitCode: 2,
        message: 'An access token given by hand cannot be traded for an API key.',
        nextStep: 'sign in: codex-auth login --with-minted-api-key',
      },
    ],
    [
      'for an access token in the environment',
      sampleCredential(),
      { environment: sampleCredential({ method: 'access_token' }) },
      { code: 'usage' },
    ],
    [
      'without asking for one',
      sampleCredential(),
      { mayRefresh: false },
      {
        code: 'no_api_key',
        exitCode: 4,
        message: 'No API key is stored, and --no-refresh forbids to ask for one.',
        nextStep: 'leave out --no-refresh',
      },
    ],
  ])('%s', async (_, credential, asking, failure) => {
    const ports = new MemoryPorts(credential)
    expect(await rejected(keyOf(ports, asking))).toMatchObject(failure)
    expect(ports.journal).toEqual([])
  })

  test.each(['mint', 'reserve', 'save'] as const)(
    'when it fails (%s), and the lock is let go',
    async (step) => {
      const login = sampleCredential()
      const ports = new MemoryPorts(login)
      ports.faults.set(step, new AuthError('provider_failed', 'It is not well.'))
      expect(await rejected(keyOf(ports))).toMatchObject({ code: 'provider_failed' })
      expect(ports.journal.slice(-2)).toEqual(['release', 'unlock'])
      expect(ports.stored?.credential).toBe(login)
    },
  )

  test('is asked for after a signal, and one that came is saved', async () => {
    const stop = new AbortController()
    const ports = new MemoryPorts(sampleCredential(), stop.signal)
    ports.before.set('mint', () => stop.abort(new AuthError('interrupted', 'Interrupted.')))
    expect(await rejected(keyOf(ports))).toMatchObject({ code: 'interrupted' })
    expect(ports.stored?.credential.mintedApiKey).toBe(ports.apiKey)
    const late = new MemoryPorts(sampleCredential(), stop.signal)
    expect(await rejected(keyOf(late))).toMatchObject({ code: 'interrupted' })
    expect(late.journal).toEqual(['lock', OPEN, 'release', 'unlock'])
  })
})
