import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpAnswer } from '../../../src/adapters/provider/http.ts'
import { PassingFault } from '../../../src/adapters/provider/passing-fault.ts'
import { exchangedTokens, refreshOutcome } from '../../../src/adapters/provider/token-answer.ts'
import type { Tokens } from '../../../src/core/ports.ts'
import { AuthError } from '../../../src/errors.ts'
import { dated, RECEIVED_AT, unsigned } from './answers.ts'

const word = fc.stringMatching(/^[\w.~+/=-]{1,40}$/)
const oddity = fc.oneof(
  word,
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constant(undefined),
)
const accessToken = fc.oneof(
  word,
  oddity.map((exp) => unsigned({ exp })),
  fc.integer({ min: -1, max: 2_000_000_000 }).map((exp) => unsigned({ exp })),
)
const body = fc.record(
  {
    access_token: fc.oneof(accessToken, oddity),
    token_type: oddity,
    expires_in: fc.oneof(oddity, fc.integer(), fc.integer().map(String)),
    refresh_token: oddity,
    id_token: oddity,
    scope: oddity,
    error: fc.oneof(oddity, fc.record({ code: oddity, message: oddity })),
    error_description: oddity,
    code: oddity,
  },
  { requiredKeys: [] },
)
const headers = fc.record(
  {
    date: fc.oneof(
      fc.string(),
      fc.integer({ min: -1e9, max: 1e9 }).map((ahead) => dated(ahead).date),
    ),
    'content-type': fc.string({ unit: 'binary' }),
    'retry-after': fc.oneof(fc.string(), fc.nat().map(String)),
  },
  { requiredKeys: [] },
)
const given: fc.Arbitrary<HttpAnswer> = fc.record({
  host: fc.constant('auth.example.com'),
  status: fc.oneof(
    fc.constantFrom(200, 307, 400, 401, 403, 429, 500, 503),
    fc.integer({ min: 100, max: 999 }),
  ),
  headers,
  body: fc.oneof(
    body.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.nat({ max: 100_000 }).map((depth) => '['.repeat(depth)),
  ),
})

/** The tokens, or the fault, of either reading of an answer; `undefined` is a refusal. */
function readings(answer: HttpAnswer): (Tokens | AuthError | undefined)[] {
  return [
    read(() => {
      const outcome = refreshOutcome(answer, RECEIVED_AT)
      return outcome.kind === 'tokens' ? outcome.tokens : undefined
    }),
    read(() => exchangedTokens(answer, RECEIVED_AT)),
  ]
}

function read(reading: () => Tokens | undefined): Tokens | AuthError | undefined {
  try {
    return reading()
  } catch (error) {
    if (error instanceof AuthError) return error
    throw error
  }
}

function isSound(reading: Tokens | AuthError | undefined): boolean {
  if (reading === undefined) return true
  if (reading instanceof AuthError) {
    const isExpected = reading instanceof PassingFault || reading.code === 'login_failed'
    return isExpected && /^auth\.example\.com [\x20-\x7e]+\.$/.test(reading.message)
  }
  const words = [reading.accessToken, reading.tokenType]
  const numbers = [reading.expiresAt ?? 0, reading.clockSkew]
  const fits = words.every((text) => /^[\x21-\x7e]+$/.test(text)) && numbers.every(Number.isInteger)
  return fits && reading.refreshToken !== ''
}

describe('whatever the token endpoint answers', () => {
  it('means tokens that fit a header and the store, a refusal, or an error with a code', () => {
    fc.assert(
      fc.property(given, (answer) => {
        expect(readings(answer).filter((reading) => !isSound(reading))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('a usable access token is kept, and with it the refresh token', () => {
    fc.assert(
      fc.property(body, accessToken, word, headers, (rest, access, refresh, head) => {
        const text = JSON.stringify({ ...rest, access_token: access, refresh_token: refresh })
        const answer = { host: 'auth.example.com', status: 200, headers: head, body: text }
        for (const reading of readings(answer)) {
          expect(reading).toMatchObject({ accessToken: access, refreshToken: refresh })
        }
      }),
    )
  })

  it('no error repeats what the answer holds', () => {
    const secret = 'rt_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4'
    const place = fc.constantFrom<(text: string) => unknown>(
      (text) => text,
      (text) => `{"refresh_token":"${text}`,
      (text) => JSON.stringify({ refresh_token: text }),
      (text) => JSON.stringify({ error: text }),
      (text) => JSON.stringify({ error: { code: text, message: text } }),
      (text) => JSON.stringify({ error: 'invalid_request', error_description: text }),
      (text) => JSON.stringify({ access_token: { value: text } }),
    )
    fc.assert(
      fc.property(place, fc.constantFrom(200, 302, 400, 401, 403, 429, 500), headers, (put, status, head) => {
        const answer = { host: 'auth.example.com', status, headers: head, body: String(put(secret)) }
        for (const reading of readings(answer)) {
          if (!(reading instanceof AuthError)) continue
          expect(
            `${inspect(reading, { depth: 9, showHidden: true })}${JSON.stringify(reading)}`,
          ).not.toContain(secret)
        }
      }),
    )
  })
})
