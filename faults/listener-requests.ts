import type { Random } from './random.ts'

/** What a request is made for: nobody but the browser knows `state`, and these know it all the same. */
export interface Awaited {
  readonly port: number
  readonly state: string
}

export interface HostileRequest {
  readonly kind: string
  readonly bytes: Buffer
  /** What the sender does behind the last byte. `wait`: it leaves the connection open. */
  readonly ending: 'wait' | 'close' | 'reset'
}

interface Materials extends Awaited {
  readonly random: Random
  /** The right `Host`. */
  readonly host: string
}

export type Maker = (materials: Materials) => string

/** Is in most requests, and may be in no answer. */
export const MARK = 'Zq9<mark'
export const CALLBACK = '/auth/callback'
const CODE = `code=${MARK}`

interface Head {
  readonly method?: string
  readonly version?: string
  readonly headers?: readonly string[]
}

/** A whole request without a body. */
export function head(
  host: string,
  target: string,
  { method = 'GET', version = 'HTTP/1.1', headers = [] }: Head = {},
): string {
  return [`${method} ${target} ${version}`, `Host: ${host}`, ...headers, '', ''].join('\r\n')
}

/** What would be the awaited redirect, were it not for the one thing that is wrong about the rest. */
export function right(state: string): string {
  return `${CODE}&state=${state}`
}

/** A redirect with a state that is not the awaited one; the whole request is well-formed. */
export function stranger({ random, host, state }: Materials): string {
  return head(host, `${CALLBACK}?${CODE}&state=${random.pick(otherStates(random, state))}`)
}

function otherStates(random: Random, state: string): string[] {
  const at = random.below(state.length)
  const changed = state[at] === 'A' ? 'B' : 'A'
  return [
    '',
    'undefined',
    'null',
    '%00',
    '%',
    '%zz',
    '%ff%fe',
    state.slice(0, -1),
    state.slice(1),
    `${state}A`,
    `${state}%00`,
    `+${state}`,
    state.slice(0, at) + changed + state.slice(at + 1),
    Array.from(state).toReversed().join(''),
    state.replaceAll(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase())),
    random.bytes(32).toString('base64url'),
  ]
}

/** Redirects that must not count: the path, the method and the `Host` are right. */
export const REDIRECTS: Readonly<Record<string, Maker>> = {
  'another state': stranger,
  'no state': ({ random, host }) =>
    head(host, `${CALLBACK}${random.pick(['', '?', `?${CODE}`, '?&&&', '?=&=', `?${CODE}&iss=x`])}`),
  'error without the state': ({ random, host }) => {
    const more = random.pick(['', `&error_description=${MARK}`, '&state=', '&state=x', `&${CODE}`])
    return head(host, `${CALLBACK}?error=access_denied${more}`)
  },
  'state twice': ({ random, host, state }) => {
    const [one, other] = random.pick([
      [state, state],
      [state, 'x'],
      ['x', state],
      [state, ''],
    ])
    return head(host, `${CALLBACK}?${CODE}&state=${one}&state=${other}`)
  },
  'state in another place': ({ random, host, state }) => {
    const query = random.pick([
      `state[]=${state}`,
      `STATE=${state}`,
      `${CODE}#state=${state}`,
      `x;state=${state}`,
    ])
    return head(host, `${CALLBACK}?${query}`, { headers: [`Cookie: state=${state}`, `State: ${state}`] })
  },
  'right state, something else twice': ({ random, host, state }) => {
    const name = random.pick(['code', 'iss', 'error'])
    return head(host, `${CALLBACK}?${name}=a&${name}=b&state=${state}`)
  },
  'right state, long address': ({ random, host, state }) =>
    head(host, `${CALLBACK}?${right(state)}&x=${'a'.repeat(8192 + random.below(100_000))}`),
  'right state, other path': ({ random, host, state }) => {
    const path = random.pick([...OTHER_FORMS, `http://${host}${CALLBACK}`, `https://${host}${CALLBACK}`])
    return head(host, `${path}?${right(state)}`)
  },
  'right state, other method': ({ random, host, state }) =>
    head(host, `${CALLBACK}?${right(state)}`, { method: random.pick(METHODS) }),
  'right state, other Host': ({ random, port, state }) =>
    head(random.pick(otherHosts(port)), `${CALLBACK}?${right(state)}`),
  'right state, Host twice or none': ({ random, host, state }) => {
    const hosts = random.pick([[], [host, host], [host, 'evil.example'], ['evil.example', host]])
    const lines = hosts.map((each) => `Host: ${each}`)
    return [`GET ${CALLBACK}?${right(state)} HTTP/1.1`, ...lines, '', ''].join('\r\n')
  },
  'right state, with a body': ({ random, host, state }) => {
    const [header, body] = random.pick([
      ['Content-Length: 5', 'hello'],
      ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
      ['Transfer-Encoding: chunked', '0\r\n\r\n'],
    ] as const)
    return head(host, `${CALLBACK}?${right(state)}`, { headers: [header] }) + body
  },
}

/** The callback's path to a server that decodes, resolves or ignores case. */
const OTHER_FORMS = [
  `${CALLBACK}/`,
  `/${CALLBACK}`,
  '/auth/./callback',
  '/x/../auth/callback',
  '/auth/%63allback',
  '/auth%2Fcallback',
  '/AUTH/Callback',
  `${CALLBACK};x`,
  `${CALLBACK}%00`,
  `${CALLBACK}%20`,
  `${CALLBACK}#`,
  '/auth\\callback',
  '*',
]

const METHODS = [
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'CONNECT',
  'BREW',
  'get',
]

function otherHosts(port: number): string[] {
  return [
    '',
    'localhost',
    'evil.example',
    `evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `localhost.:${port}`,
    `localhost:${port}.evil.example`,
    `localhost:${port}@evil.example`,
    `evil.example@localhost:${port}`,
    `localhost:${port + 1}`,
    `localhost:0${port}`,
    `127.1:${port}`,
    `0.0.0.0:${port}`,
    `[::]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
  ]
}
