import { describe, expect, test } from 'vitest'
import { chooseProvider } from '../../src/core/provider-choice.ts'
import { sampleCredential } from '../support/credentials.ts'

const NOTHING = { issuer: undefined, clientId: undefined, scopes: undefined }
const OPENAI = { name: 'openai', ...NOTHING }
const OIDC_LOGIN = sampleCredential({
  method: 'oauth',
  provider: 'oidc',
  issuer: 'https://login.example.org',
  clientId: 'stored-client',
  scopes: ['openid', 'stored'],
})
const OIDC_SETTINGS = {
  provider: 'oidc',
  issuer: 'https://id.example.com',
  client_id: 'setting-client',
  scopes: ['openid', 'setting'],
} as const

describe('without flags, a sign-in goes', () => {
  test('to OpenAI when nothing is known', () => {
    expect(chooseProvider({}, {}, undefined)).toEqual(OPENAI)
  })

  test('to where the login in this profile came from, with its client', () => {
    expect(chooseProvider({}, {}, OIDC_LOGIN)).toEqual({
      name: 'oidc',
      issuer: 'https://login.example.org',
      clientId: 'stored-client',
      scopes: undefined,
    })
  })

  test.each(['api_key', 'access_token'] as const)(
    'to OpenAI when what is stored is an %s given by hand',
    (method) => {
      expect(chooseProvider({}, {}, sampleCredential({ method }))).toEqual(OPENAI)
    },
  )

  test('to where the settings say, whatever is stored', () => {
    expect(chooseProvider({}, OIDC_SETTINGS, OIDC_LOGIN)).toEqual({
      name: 'oidc',
      issuer: 'https://id.example.com',
      clientId: 'setting-client',
      scopes: ['openid', 'setting'],
    })
  })

  test.each([{ client_id: 'c' }, { scopes: ['s'] }])(
    'to where the login came from when the settings %o name no provider',
    (settings) => {
      expect(chooseProvider({}, settings, OIDC_LOGIN)).toEqual(chooseProvider({}, {}, OIDC_LOGIN))
    },
  )

  test.each([
    { settings: { issuer: 'https://a.example' }, choice: { ...OPENAI, issuer: 'https://a.example' } },
    { settings: { client_id: 'c' }, choice: { ...OPENAI, clientId: 'c' } },
    { settings: { scopes: ['s'] }, choice: { ...OPENAI, scopes: ['s'] } },
    { settings: { provider: 'oidc' } as const, choice: { name: 'oidc', ...NOTHING } },
    { settings: { profile: 'work', lock_wait: 5 }, choice: OPENAI },
  ])('to $choice.name with only the settings $settings', ({ settings, choice }) => {
    expect(chooseProvider({}, settings, undefined)).toEqual(choice)
  })
})

describe('with flags, a sign-in', () => {
  test('takes every flag before every setting', () => {
    const flags = {
      provider: 'oidc',
      issuer: 'https://f.example',
      clientId: 'flag-client',
      scope: ['flag'],
    } as const
    expect(chooseProvider(flags, OIDC_SETTINGS, OIDC_LOGIN)).toEqual({
      name: 'oidc',
      issuer: 'https://f.example',
      clientId: 'flag-client',
      scopes: ['flag'],
    })
  })

  test('to another provider takes nothing of the one in the settings', () => {
    expect(chooseProvider({ provider: 'openai' }, OIDC_SETTINGS, OIDC_LOGIN)).toEqual(OPENAI)
  })

  test('to another provider takes nothing of the login that is stored', () => {
    expect(chooseProvider({ provider: 'openai' }, {}, OIDC_LOGIN)).toEqual(OPENAI)
  })

  test('to another issuer takes neither client nor scopes of the one in the settings', () => {
    expect(chooseProvider({ issuer: 'https://f.example' }, OIDC_SETTINGS, undefined)).toEqual({
      name: 'oidc',
      issuer: 'https://f.example',
      clientId: undefined,
      scopes: undefined,
    })
  })

  test('to the issuer in the settings keeps their client and scopes', () => {
    expect(chooseProvider({ issuer: 'https://id.example.com' }, OIDC_SETTINGS, undefined)).toEqual({
      name: 'oidc',
      issuer: 'https://id.example.com',
      clientId: 'setting-client',
      scopes: ['openid', 'setting'],
    })
  })

  test('may change the client and the scopes alone', () => {
    expect(chooseProvider({ clientId: 'c', scope: ['s'] }, {}, OIDC_LOGIN)).toEqual({
      name: 'oidc',
      issuer: 'https://login.example.org',
      clientId: 'c',
      scopes: ['s'],
    })
  })
})
