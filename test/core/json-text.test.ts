import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasMember, withMember } from '../../src/core/json-text.ts'

describe('a member that is there', () => {
  test('changes, and every other character stays', () => {
    const text =
      '\r\n{"b" :\t1 ,"tokens":{ "x":[{"refresh_token":"no"}],"refresh_token":"old" },"z":null}\n\n'
    expect(withMember(text, ['tokens', 'refresh_token'], '')).toBe(
      '\r\n{"b" :\t1 ,"tokens":{ "x":[{"refresh_token":"no"}],"refresh_token":"" },"z":null}\n\n',
    )
  })

  test('is found by what its name means', () => {
    expect(withMember(String.raw`{"refresh\u005ftoken": "old"}`, ['refresh_token'], 'new')).toBe(
      String.raw`{"refresh\u005ftoken": "new"}`,
    )
  })

  test('changes wherever it is there twice', () => {
    expect(withMember('{"a":"old", "a" : "older"}', ['a'], '')).toBe('{"a":"", "a" : ""}')
  })

  test('is not touched when it has this value', () => {
    const text = '{ "a": {"b":  1,\n"c":"\\u0041"} }'
    expect(withMember(text, ['a'], { b: 1, c: 'A' })).toBe(text)
  })

  test('takes an object in the manner of its line', () => {
    expect(withMember('{\n    "a": null\n}', ['a'], { b: 1 })).toBe('{\n    "a": {\n      "b": 1\n    }\n}')
  })
})

describe('a member that is not there', () => {
  test('is added behind the last one, in its manner', () => {
    expect(withMember('{\n\t"a": 1,\n\t"b" : [2]\n}', ['c'], null)).toBe(
      '{\n\t"a": 1,\n\t"b" : [2],\n\t"c" : null\n}',
    )
    expect(withMember('{"a":{"b":1},"c":2}', ['a', 'd'], 'x')).toBe('{"a":{"b":1,"d":"x"},"c":2}')
  })

  test('is added to an empty object', () => {
    expect(withMember('{ }', ['a'], 1)).toBe('{"a": 1 }')
  })

  test('is not one that lies deeper', () => {
    expect(hasMember('{"a":{"b":1}}', 'b')).toBe(false)
    expect(hasMember('{"a":[{"b":1}],"b":null}', 'b')).toBe(true)
  })
})

const SPACE = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 })

/** The same JSON with other spaces in it. */
function respaced(json: string, spaces: readonly string[]): string {
  let next = 0
  return json.replaceAll(
    /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g,
    (word) => `${spaces[next++ % spaces.length]}${word}${spaces[next++ % spaces.length]}`,
  )
}

const NAME = fc.oneof(fc.constantFrom('tokens', 'refresh_token', '__proto', ''), fc.string())
/** What a JSON text can hold: no negative zero. */
const VALUE = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value)))
const OBJECT = fc.dictionary(NAME, VALUE, { maxKeys: 6 })

test('whatever the object and its spaces, exactly one member changes', () => {
  fc.assert(
    fc.property(
      OBJECT,
      OBJECT,
      NAME,
      VALUE,
      fc.array(SPACE, { minLength: 1, maxLength: 9 }),
      (outer, inner, name, value, spaces) => {
        const text = respaced(JSON.stringify({ ...outer, tokens: inner, zz: 'end' }), spaces)
        const before = JSON.parse(text) as { tokens: object }
        const after = withMember(text, ['tokens', name], value)
        expect(JSON.parse(after)).toEqual({ ...before, tokens: { ...before.tokens, [name]: value } })
        expect(Object.hasOwn(before.tokens, name) || isInsertion(text, after)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('a value put back gives the same text', () => {
  fc.assert(
    fc.property(OBJECT, fc.array(SPACE, { minLength: 1, maxLength: 9 }), (outer, spaces) => {
      const text = respaced(JSON.stringify({ ...outer, tokens: { refresh_token: 'kept' } }), spaces)
      const path = ['tokens', 'refresh_token']
      expect(withMember(withMember(text, path, ''), path, 'kept')).toBe(text)
    }),
  )
})

/** Whether nothing of the first text is missing in the second one, which has something put in at one place. */
function isInsertion(before: string, after: string): boolean {
  let start = 0
  while (start < before.length && before[start] === after[start]) start++
  return after.endsWith(before.slice(start))
}
