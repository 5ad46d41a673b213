import { describe, expect, it } from 'vitest'
import { exchangedTokens, refreshOutcome } from '../../../src/adapters/provider/token-answer.ts'
import type { RefreshOutcome, Tokens } from '../../../src/core/ports.ts'
import { answer, dated, RECEIVED_AT, unsigned } from './answers.ts'

const WHOLE = {
  access_token: 'at-1',
  token_type: 'Bearer',
  expires_in: 3600,
  refresh_token: 'rt-1',
  id_token: 'id-1',
  scope: 'openid email',
}
const TOKENS: Tokens = {
  accessToken: 'at-1',
  tokenType: 'Bearer',
  refreshToken: 'rt-1',
  idToken: 'id-1',
  expiresAt: 1_790_003_600,
  scopes: ['openid', 'email'],
  account: undefined,
  clockSkew: 0,
}

/** What is made of {@link WHOLE} with these changes; `undefined` leaves a value out. */
function outcome(changes: object = {}, headers: Record<string, string> = {}, status = 200): RefreshOutcome {
  return refreshOutcome(answer(status, { ...WHOLE, ...changes }, headers), RECEIVED_AT)
}

function tokens(changes: Partial<Tokens> = {}): RefreshOutcome {
  return { kind: 'tokens', tokens: { ...TOKENS, ...changes } }
}

describe('an answer with tokens', () => {
  it('gives all that it holds', () => {
    expect(outcome()).toEqual(tokens())
    expect(exchangedTokens(answer(200, WHOLE), RECEIVED_AT)).toEqual(TOKENS)
  })

  it('needs nothing but an access token', () => {
    expect(refreshOutcome(answer(200, { access_token: 'at-1' }), RECEIVED_AT)).toEqual(
      tokens({ refreshToken: undefined, idToken: undefined, expiresAt: undefined, scopes: undefined }),
    )
  })

  it.each([201, 299])('may come with status %i', (status) => {
    expect(outcome({}, {}, status)).toEqual(tokens())
  })

  it.each(['application/json; charset=utf-8', 'application/problem+json', 'text/plain', 'text/html', ''])(
    'is judged by what it holds, not by its type %j',
    (type) => {
      expect(outcome({}, { 'content-type': type })).toEqual(tokens())
    },
  )

  it.each(['bearer', 'BEARER', undefined, null, '', 7, 'Bearer\r\nX: y', 'x'.repeat(65)])(
    'has the type Bearer when it says %j',
    (type) => {
      expect(outcome({ token_type: type })).toEqual(tokens())
    },
  )

  it('keeps a type that is another one', () => {
    expect(outcome({ token_type: 'DPoP' })).toEqual(tokens({ tokenType: 'DPoP' }))
  })

  it.each([undefined, null, '', 0, {}, [], true, 'x'.repeat(64 * 1024 + 1)])(
    'is kept when an optional token is %j',
    (value) => {
      expect(outcome({ refresh_token: value })).toEqual(tokens({ refreshToken: undefined }))
      expect(outcome({ id_token: value })).toEqual(tokens({ idToken: undefined }))
      expect(outcome({ scope: value })).toEqual(tokens({ scopes: undefined }))
    },
  )

  it('counts scopes however they are spaced', () => {
    expect(outcome({ scope: ' a  b ' })).toEqual(tokens({ scopes: ['a', 'b'] }))
    expect(outcome({ scope: '  ' })).toEqual(tokens({ scopes: undefined }))
  })

  it('wins over an error beside it', () => {
    expect(outcome({ error: 'refresh_token_reused' })).toEqual(tokens())
  })
})

describe('the end of an access token', () => {
  it.each([
    [3600, 1_790_003_600],
    ['3600', 1_790_003_600],
    [1.5, 1_790_000_001],
    [10 * 365 * 86_400, 2_105_360_000],
  ])('is so far from its receipt as expires_in %j says', (lifetime, expiresAt) => {
    expect(outcome({ expires_in: lifetime })).toEqual(tokens({ expiresAt }))
  })

  it.each([undefined, null, 0, -1, '0', '-1', '', 'soon', '1e3', [3600], 10 * 365 * 86_400 + 1, 1e300])(
    'is unknown when expires_in is %j',
    (lifetime) => {
      expect(outcome({ expires_in: lifetime })).toEqual(tokens({ expiresAt: undefined }))
    },
  )

  it('is its own exp before anything else', () => {
    const accessToken = unsigned({ exp: 1_790_000_900.5 })
    expect(outcome({ access_token: accessToken })).toEqual(tokens({ accessToken, expiresAt: 1_790_000_900 }))
  })

  it('is its own exp also when that is over', () => {
    const accessToken = unsigned({ exp: 1_789_999_000 })
    expect(outcome({ access_token: accessToken })).toEqual(tokens({ accessToken, expiresAt: 1_789_999_000 }))
  })

  it.each([undefined, null, '1790000900', 0, -5, 1_790_000_900_000, {}])(
    'is told by expires_in when its exp is %j',
    (exp) => {
      const accessToken = unsigned({ exp })
      expect(outcome({ access_token: accessToken })).toEqual(tokens({ accessToken }))
    },
  )

  it.each([
    ['ahead', 7200],
    ['behind', -7200],
    ['ahead by decades', 30 * 365 * 86_400],
  ])('is by this machine, whose clock the provider is %s of', (_, ahead) => {
    const accessToken = unsigned({ exp: 1_790_000_900 + ahead })
    expect(outcome({ access_token: accessToken }, dated(ahead))).toEqual(
      tokens({ accessToken, expiresAt: 1_790_000_900, clockSkew: ahead }),
    )
  })

  it.each([3600, -3600])(
    'is not moved by a date that is wrong by %i s where its exp and expires_in agree',
    (ahead) => {
      const accessToken = unsigned({ exp: 1_790_000_910 })
      expect(outcome({ access_token: accessToken, expires_in: 900 }, dated(ahead))).toEqual(
        tokens({ accessToken, expiresAt: 1_790_000_910, clockSkew: 0 }),
      )
    },
  )

  it('is not moved by a clock when it counts from the receipt', () => {
    expect(outcome({}, dated(7200))).toEqual(tokens({ clockSkew: 7200 }))
  })
})

describe('the clocks', () => {
  it.each([
    [60, 0],
    [61, 61],
    [-60, 0],
    [-61, -61],
  ])('of which the other shows %i s more differ by %i', (ahead, clockSkew) => {
    expect(outcome({}, dated(ahead))).toEqual(tokens({ clockSkew }))
  })

  it.each(['', 'yesterday', '0', '2000', 'Xxx, 99 Xxx 2000 00:00:00 GMT'])(
    'agree when the answer is dated %j',
    (date) => {
      expect(outcome({}, { date })).toEqual(tokens())
    },
  )
})
