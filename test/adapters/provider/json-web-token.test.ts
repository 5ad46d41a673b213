import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimsOf } from '../../../src/adapters/provider/json-web-token.ts'
import { unsigned } from './answers.ts'

const part = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

describe('claimsOf', () => {
  it('reads the claims of a token, whatever its signature', () => {
    expect(claimsOf(unsigned({ exp: 1.5, name: '\u{e9}' }))).toEqual({ exp: 1.5, name: '\u{e9}' })
    expect(claimsOf(`${part('{"alg":"none"}')}.${part('{"a":1}')}.`)).toEqual({ a: 1 })
  })

  it.each([
    ['an opaque token', 'rt_abc'],
    ['nothing', ''],
    ['two parts', `${part('{}')}.${part('{}')}`],
    ['four parts', `${part('{}')}.${part('{}')}.a.b`],
    ['an encrypted token', `${part('{}')}.a.b.c.d`],
    ['an empty payload', `${part('{}')}..a`],
    ['an empty header', `.${part('{}')}.a`],
    ['padding', `${part('{}')}.${Buffer.from('{"a":1}').toString('base64')}.a`],
    ['claims that are an array', `${part('{}')}.${part('[]')}.a`],
    ['claims that are null', `${part('{}')}.${part('null')}.a`],
    ['claims that are no JSON', `${part('{}')}.${part('{"a":')}.a`],
    ['claims that are no text', `${part('{}')}.${part(Uint8Array.of(0xff, 0xfe))}.a`],
    ['a header that is no object', `${part('"x"')}.${part('{}')}.a`],
    ['claims beyond the limit', `${part('{}')}.${part(`{"a":"${'x'.repeat(13_000)}"}`)}.a`],
    ['a token beyond the limit', `${part('{}')}.${part('{}')}.${'a'.repeat(64 * 1024)}`],
  ])('finds none in %s', (_, token) => {
    expect(claimsOf(token)).toBeUndefined()
  })

  it('never throws', () => {
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.base64String(), { maxLength: 5 }).map((parts) => parts.join('.')),
      fc.tuple(fc.json(), fc.json()).map(([header, claims]) => `${part(header)}.${part(claims)}.x`),
    )
    fc.assert(
      fc.property(token, (text) => {
        const claims = claimsOf(text)
        expect(claims === undefined || (typeof claims === 'object' && !Array.isArray(claims))).toBe(true)
      }),
    )
  })
})
