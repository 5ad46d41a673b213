import { describe, expect, test } from 'vitest'
import { readPasted } from '../../src/core/pasted-redirect.ts'

const STATE = 'the-state-of-this-sign-in'
const CODE = 'ac_0123456789abcdef'
const HERE = 'http://localhost:1455/auth/callback'
const QUERY = `code=${CODE}&state=${STATE}`

/** What it is taken for, with the parameters that would be used. */
function read(line: string) {
  const found = readPasted(line, STATE)
  return 'parameters' in found
    ? { kind: found.kind, parameters: Object.fromEntries(found.parameters) }
    : found.kind
}

const REDIRECT = { kind: 'redirect', parameters: { code: CODE, state: STATE } }
const BARE_CODE = { ...REDIRECT, kind: 'bare_code' }

describe('the redirect of this sign-in', () => {
  test.each([
    ['the whole address', `${HERE}?${QUERY}`],
    ['the address with 127.0.0.1', `http://127.0.0.1:1457/auth/callback?${QUERY}`],
    ['an address that was mapped elsewhere', `https://devbox.example/proxy/1455/auth/callback?${QUERY}`],
    ['the address as a browser shows it, in capitals', `HTTP://LOCALHOST:1455/auth/callback?${QUERY}`],
    ['the query', QUERY],
    ['the query with its mark', `?${QUERY}`],
    ['the query the other way round', `state=${STATE}&code=${CODE}`],
    ['code#state', `${CODE}#${STATE}`],
    ['an address with its parameters in the fragment', `${HERE}#${QUERY}`],
    ['an address with spaces around it', ` \t${HERE}?${QUERY} \r`],
    ['an address in quotes', `"${HERE}?${QUERY}"`],
    ['an address in single quotes', `'${HERE}?${QUERY}'`],
    ['an address that the terminal marked as a paste', `\u001b[200~${HERE}?${QUERY}\u001b[201~`],
    ['an address in brackets, as in mail', `<${HERE}?${QUERY}>`],
  ])('may come as %s', (_what, line) => {
    expect(read(line)).toEqual(REDIRECT)
  })

  test('may carry more, which is kept', () => {
    expect(read(`${HERE}?${QUERY}&iss=https%3A%2F%2Fauth.example.com&scope=openid+email`)).toEqual({
      kind: 'redirect',
      parameters: {
        code: CODE,
        state: STATE,
        iss: 'https://auth.example.com',
        scope: 'openid email',
      },
    })
  })

  test('may be a refusal', () => {
    expect(read(`${HERE}?error=access_denied&error_description=Not+today.&state=${STATE}`)).toEqual({
      kind: 'redirect',
      parameters: { error: 'access_denied', error_description: 'Not today.', state: STATE },
    })
  })

  test('may have a code that was escaped', () => {
    expect(read(`${HERE}?code=4%2F0A-b~c%3D&state=${STATE}`)).toEqual({
      kind: 'redirect',
      parameters: { code: '4/0A-b~c=', state: STATE },
    })
  })
})

describe('a code without a state', () => {
  test.each([
    ['alone', CODE],
    ['in quotes', `"${CODE}"`],
    ['as a parameter', `code=${CODE}`],
    ['in an address', `${HERE}?code=${CODE}`],
  ])('is only offered (%s)', (_what, line) => {
    expect(read(line)).toEqual(BARE_CODE)
  })

  test.each(['4/0A-b~c', 'M.C5_abc+d', 'YWJjZA==', 'abc='])('may look like %s', (code) => {
    expect(read(code)).toEqual({ kind: 'bare_code', parameters: { code, state: STATE } })
  })
})

describe('a redirect with another state', () => {
  test.each([
    ['in an address', `${HERE}?code=${CODE}&state=another`],
    ['in a query', `code=${CODE}&state=another`],
    ['after a code', `${CODE}#another`],
    ['that is empty', `${HERE}?code=${CODE}&state=`],
    ['that is this one and more', `${HERE}?${QUERY}x`],
    ['that is the beginning of this one', `${HERE}?code=${CODE}&state=${STATE.slice(0, -1)}`],
    ['of a refusal', `${HERE}?error=access_denied&state=another`],
  ])('is from another attempt (%s)', (_what, line) => {
    expect(read(line)).toBe('other_attempt')
  })
})

test.each([
  ['https://auth.openai.com/oauth/authorize', `client_id=app&state=${STATE}&code_challenge=abc`],
  ['https://login.example.com/auth', `code_challenge=abc&state=another&response_type=code`],
])('the address to sign in at is told from the one that comes after (%s)', (address, query) => {
  expect(read(`${address}?${query}`)).toBe('authorization_address')
})

test.each(['', ' ', '\t', '\r', '""', '<>'])('%j is nothing', (line) => {
  expect(read(line)).toBe('nothing')
})

describe('anything else is unreadable', () => {
  test.each([
    'y',
    'no',
    'hello there',
    `${CODE} ${STATE}`,
    `${CODE}#${STATE}#more`,
    `#${STATE}`,
    '#',
    '?',
    '=',
    '&',
    'код1234',
    '\u001b[31mcode\u001b[0m',
    'http://',
    'http://[',
    HERE,
    `${HERE}?`,
    `${HERE}?state=${STATE}`,
    `${HERE}?error=access_denied`,
    `${HERE}?code=&x=y`,
    `${HERE}?code=${CODE}&code=${CODE}&state=${STATE}`,
    `${HERE}?code=${CODE}&error=access_denied&state=${STATE}`,
    `${HERE}?code=${CODE}&state=${STATE}&state=another`,
    `state=${STATE}`,
    'code=',
    `code=${'c'.repeat(9000)}&state=${STATE}`,
    'c'.repeat(9000),
  ])('%j', (line) => {
    expect(read(line)).toBe('unreadable')
  })
})
