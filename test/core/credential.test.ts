import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  parseCredential,
  serializeCredential,
  type Account,
  type Credential,
  type Refusal,
} from '../../src/core/credential.ts'
import { freshSecret, NOW, sampleCredential, secretsOf } from '../support/credentials.ts'
import { everythingIn, thrown } from '../support/thrown.ts'

const DAMAGED = {
  code: 'store_corrupt',
  exitCode: 6,
  message: 'The stored credential does not have the shape this version writes.',
  nextStep: 'codex-auth login',
}

/** Any sequence of UTF-16 units, halves of pairs and control characters among them. */
const text = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
// JSON has no negative zero.
const seconds = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

/** A record with every field and the usual prototype. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true })

const account = record<Account>({
  email: maybe(text),
  id: maybe(text),
  userId: maybe(text),
  plan: maybe(text),
})

/** What only some logins have is there or absent, and never without a value. */
const rare = fc.record(
  { mintedApiKey: text, importedFrom: text },
  { requiredKeys: [], noNullPrototype: true },
)

const common = record<Omit<Credential, 'mintedApiKey' | 'importedFrom'>>({
  method: fc.constantFrom('chatgpt', 'oauth', 'api_key', 'access_token'),
  provider: fc.constantFrom('openai', 'oidc'),
  issuer: text,
  clientId: text,
  accessToken: text,
  tokenType: text,
  refreshToken: maybe(text),
  idToken: maybe(text),
  expiresAt: maybe(seconds),
  obtainedAt: seconds,
  refreshedAt: maybe(seconds),
  scopes: fc.array(text),
  account,
  clockSkew: seconds,
  refusal: maybe(
    record<Refusal>({ reason: fc.constantFrom('expired', 'reused', 'revoked', 'rejected'), at: seconds }),
  ),
})

const credential: fc.Arbitrary<Credential> = fc
  .tuple(common, rare)
  .map(([one, other]) => ({ ...one, ...other }))

function fieldsOf(whole: Credential): Record<string, unknown> {
  return JSON.parse(serializeCredential(whole)) as Record<string, unknown>
}

describe('a credential', () => {
  test('comes back exactly as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(credential, (written) => {
        expect(parseCredential(serializeCredential(written))).toStrictEqual(written)
      }),
    )
  })

  test('is written under the names of RFC 6749, without what is not known', () => {
    const written = sampleCredential({ refusal: { reason: 'revoked', at: NOW } })
    expect(fieldsOf(written)).toEqual({
      method: 'chatgpt',
      provider: 'openai',
      issuer: 'https://auth.openai.com',
      client_id: 'app_0123456789',
      access_token: written.accessToken,
      token_type: 'Bearer',
      refresh_token: written.refreshToken,
      id_token: written.idToken,
      expires_at: NOW + 3600,
      obtained_at: NOW - 60,
      scopes: ['openid', 'offline_access'],
      account: { email: 'ada@example.org', id: 'account-1', user_id: 'user-1', plan: 'plus' },
      clock_skew: 0,
      refusal: { reason: 'revoked', at: NOW },
    })
  })

  test('keeps an API key that came with it, and mentions none that did not', () => {
    const mintedApiKey = freshSecret('api_key')
    const written = sampleCredential({ mintedApiKey })
    expect(fieldsOf(written)).toMatchObject({ minted_api_key: mintedApiKey })
    expect(parseCredential(serializeCredential(written))).toStrictEqual(written)
    expect(fieldsOf(sampleCredential())).not.toHaveProperty('minted_api_key')
  })

  test('is still read when a later version has added to it', () => {
    const written = sampleCredential()
    const later = { ...fieldsOf(written), device_id: 'd-1' }
    expect(parseCredential(JSON.stringify(later))).toStrictEqual(written)
  })
})

const REQUIRED = [
  'method',
  'provider',
  'issuer',
  'client_id',
  'access_token',
  'token_type',
  'obtained_at',
  'scopes',
  'account',
  'clock_skew',
]
const TEXTS = [
  'issuer',
  'client_id',
  'access_token',
  'token_type',
  'refresh_token',
  'id_token',
  'minted_api_key',
]
const NUMBERS = ['expires_at', 'obtained_at', 'refreshed_at', 'clock_skew']

const wrongFor = (fields: readonly string[], values: readonly unknown[]): [string, unknown][] =>
  fields.flatMap((field) => values.map((value): [string, unknown] => [field, value]))

describe('a damaged credential', () => {
  test.each([
    ...wrongFor(REQUIRED, [undefined]),
    ...wrongFor(TEXTS, [null, 1, true, [], {}]),
    ...wrongFor(NUMBERS, [null, '1', true, [], {}]),
    ...wrongFor(['method'], [null, 'saml', 'toString', 1, ['chatgpt']]),
    ...wrongFor(['provider'], [null, 'github', '__proto__', 1, ['oidc']]),
    ...wrongFor(['scopes'], [null, 'openid', {}, [1], [null], ['openid', undefined]]),
    ...wrongFor(['account'], [null, 'ada', [], { email: null }, { id: 1 }, { user_id: [] }, { plan: {} }]),
    ...wrongFor(['refusal'], [null, 'revoked', [], {}, { reason: 'revoked' }, { reason: 'no', at: 1 }]),
    ...wrongFor(['refusal'], [{ reason: 'revoked', at: '1' }]),
  ])('is refused when its %s is %j', (field, value) => {
    const fields = { ...fieldsOf(sampleCredential()), [field]: value }
    expect(thrown(() => parseCredential(JSON.stringify(fields)))).toEqual(DAMAGED)
  })

  test('is refused when a number in it is too large for any number', () => {
    const json = serializeCredential(sampleCredential()).replace(`${NOW + 3600}`, '1e999')
    expect(thrown(() => parseCredential(json))).toEqual(DAMAGED)
  })

  test.each(['', ' ', 'null', '0', '""', '[]', 'true', '{}', '{"method":', 'undefined', '\0'])(
    'is refused when it is %j',
    (json) => {
      expect(thrown(() => parseCredential(json))).toEqual(DAMAGED)
    },
  )

  test('is refused wherever it is cut, and its secrets are not told', () => {
    const whole = sampleCredential()
    const json = serializeCredential(whole)
    for (let length = 0; length < json.length; length++) {
      const cut = json.slice(0, length)
      expect([thrown(() => parseCredential(cut)), leaksOf(cut, whole)]).toEqual([DAMAGED, []])
    }
  })

  test('is refused with any of its quotes missing or doubled, and its secrets are not told', () => {
    const whole = sampleCredential({
      accessToken: randomBytes(20).toString('hex'),
      refreshToken: randomBytes(20).toString('hex'),
    })
    const json = serializeCredential(whole)
    for (const { index } of json.matchAll(/"/g)) {
      const [head, tail] = [json.slice(0, index), json.slice(index)]
      for (const damaged of [head + tail.slice(1), `${head}"${tail}`]) {
        expect([thrown(() => parseCredential(damaged)), leaksOf(damaged, whole)]).toEqual([DAMAGED, []])
      }
    }
  })

  test('is not told when a token alone was put there', () => {
    const whole = sampleCredential({ refreshToken: randomBytes(20).toString('hex') })
    const { refreshToken = '' } = whole
    expect([thrown(() => parseCredential(refreshToken)), leaksOf(refreshToken, whole)]).toEqual([DAMAGED, []])
  })

  test('is refused when it is any other JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(thrown(() => parseCredential(json))).toEqual(DAMAGED)
      }),
    )
  })
})

/** What of the secrets is told when this is refused: the JSON parser quotes up to ten characters around the fault. */
function leaksOf(json: string, whole: Credential): string[] {
  let told = ''
  try {
    parseCredential(json)
  } catch (error) {
    told = everythingIn(error)
  }
  const pieces = secretsOf(whole).flatMap((secret) => [
    secret.slice(0, 8),
    secret.slice(16, 24),
    secret.slice(-8),
  ])
  return pieces.filter((piece) => told.includes(piece))
}
