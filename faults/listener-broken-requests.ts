import {
  CALLBACK,
  head,
  MARK,
  REDIRECTS,
  right,
  stranger,
  type Awaited,
  type HostileRequest,
  type Maker,
} from './listener-requests.ts'
import type { Random } from './random.ts'

/** What comes to a port by mistake, or to find out what is there. */
const VISITORS: Readonly<Record<string, Maker>> = {
  'other path': ({ random, host }) => {
    const result = `/auth/result/${random.bytes(16).toString('base64url')}`
    return head(host, random.pick([...PATHS, result, `/${MARK}`]))
  },
  'other method': ({ random, host, port }) =>
    random.pick([
      head(host, '*', { method: 'OPTIONS' }),
      head(host, `localhost:${port}`, { method: 'CONNECT' }),
      head(host, 'evil.example:443', { method: 'CONNECT' }),
      head(host, '/', { method: 'HEAD' }),
      head(host, CALLBACK, { method: 'M'.repeat(5000) }),
    ]),
  'absolute-form target': ({ random, host, state }) =>
    head(host, `${random.pick(['http://evil.example', 'ftp://x', 'file://'])}${CALLBACK}?${right(state)}`),
  'another protocol': ({ random }) => random.pick(PROTOCOLS),
  'HTTP/0.9': ({ random, state }) =>
    random.pick(['GET /\r\n', `GET ${CALLBACK}\r\n\r\n`, `GET ${CALLBACK}?${right(state)}\r\n\r\n`]),
  'asks to go on or to change': ({ random, host }) => {
    const ways = [
      ['Expect: 100-continue', 'Content-Length: 100'],
      ['Expect: the unexpected'],
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: eA==', 'Sec-WebSocket-Version: 13'],
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    ]
    return head(host, `${CALLBACK}?state=x`, { headers: random.pick(ways) })
  },
}

const PATHS = [
  '/',
  '/cancel',
  '/success',
  '/auth',
  '/auth/',
  '/auth/result',
  '/auth/result/',
  '/favicon.ico',
  '/robots.txt',
  '/.well-known/openid-configuration',
  '/../../etc/passwd',
  '/..%2f..%2fetc/passwd',
  '/__proto__',
  '/%',
  '/%zz',
  '?',
]

const PROTOCOLS = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  // The beginning of a TLS ClientHello.
  '\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03' + 'r'.repeat(32) + '\x20' + 's'.repeat(200),
  'SSH-2.0-OpenSSH_9.6\r\n',
  '\x05\x01\x00',
  'EHLO evil.example\r\n',
  '*1\r\n$4\r\nPING\r\n',
]

/** What is too much of anything, or breaks the rules of HTTP itself. */
const BREACHES: Readonly<Record<string, Maker>> = {
  'huge header': ({ random, host }) =>
    head(host, CALLBACK, { headers: [`X-${MARK.length}: ${'a'.repeat(16_384 + random.below(500_000))}`] }),
  'many headers': ({ random, host }) =>
    head(host, `${CALLBACK}?state=x`, { headers: Array<string>(500 + random.below(20_000)).fill('a:') }),
  'huge body': ({ random, host }) => {
    const length = 100_000 + random.below(random.below(20) === 0 ? 4_000_000 : 200_000)
    const headers = [`Content-Length: ${random.pick([length, length * 1000, '9'.repeat(30)])}`]
    return head(host, CALLBACK, { method: random.pick(['POST', 'GET']), headers }) + 'b'.repeat(length)
  },
  'bad chunks': ({ random, host, state }) => {
    const headers = random.pick([
      ['Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 3'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
    ])
    const chunk = random.pick([
      'zz\r\n',
      '-1\r\n',
      'f'.repeat(17),
      '5\r\nabc',
      '5;\0\r\nabcde\r\n',
      '1\n\n\n',
      '',
    ])
    return (
      head(host, `${CALLBACK}?${right(state)}`, { method: random.pick(['GET', 'POST']), headers }) + chunk
    )
  },
  'bad request line': ({ random, host, state }) => {
    const target = `${CALLBACK}?${right(state)}`
    const line = random.pick([
      '',
      'GET',
      `GET ${target} HTTP/9.9`,
      `GET ${target} HTTP/1.1 x`,
      `GET ${target} HTTQ/1.1`,
      `GET\t${target}\tHTTP/1.1`,
      `GET ${CALLBACK}?code=x &state=${state} HTTP/1.1`,
      `${'\r\n'.repeat(1000)}GET / HTTP/1.1`,
      `HTTP/1.1 200 OK`,
    ])
    return `${line}\r\nHost: ${host}\r\n\r\n`
  },
  'bad headers': ({ random, host, state }) => {
    const lines = [
      `Host : ${host}`,
      ' folded',
      ': x',
      'no colon',
      'Content-Length: -1',
      'Content-Length: 1, 2',
    ]
    const line = random.pick([...lines, 'Content-Length: 5\r\nContent-Length: 6', 'a b: c', 'x: \x7f\x01'])
    return `GET ${CALLBACK}?${right(state)} HTTP/1.1\r\n${line}\r\n\r\n`
  },
  'NUL bytes': (materials) => spliced(stranger(materials), '\0', materials.random),
  'random bytes': ({ random }) => random.bytes(1 + random.below(600)).toString('latin1'),
  'altered at random': ({ random, host }) => {
    // Of no likeness to the awaited state, so that no change makes it that.
    let text = head(host, `${CALLBACK}?code=${MARK}&state=${random.bytes(32).toString('base64url')}`)
    for (let times = 1 + random.below(8); times > 0; times--) {
      text = spliced(text, random.bytes(random.below(3)).toString('latin1'), random, random.below(3))
    }
    return text
  },
  'cut short': (materials) => stranger(materials).slice(0, 1 + materials.random.below(60)),
  'many at once': (materials) =>
    Array.from({ length: 2 + materials.random.below(20) }, () => stranger(materials)).join(''),
  'right one behind another': (materials) =>
    stranger(materials) + head(materials.host, `${CALLBACK}?${right(materials.state)}`),
}

/** Puts `what` somewhere into the text, in the place of so many characters. */
function spliced(text: string, what: string, random: Random, instead = 1): string {
  const at = random.below(text.length)
  return text.slice(0, at) + what + text.slice(at + instead)
}

const MAKERS = Object.entries({ ...REDIRECTS, ...VISITORS, ...BREACHES })

/** One that does not count as the awaited redirect, in whichever way. */
export function hostileRequest(random: Random, awaited: Awaited): HostileRequest {
  const [kind, make] = random.pick(MAKERS)
  const host = `${random.pick(['localhost', '127.0.0.1', '[::1]'])}:${awaited.port}`
  const text = make({ ...awaited, random, host })
  const ending = random.pick(WHOLE.has(kind) ? (['wait', 'wait', 'close', 'reset'] as const) : ENDINGS)
  return { kind, bytes: Buffer.from(text, 'latin1'), ending }
}

/** Of these, all has come, so that the answer is due; the others may be the beginning of something. */
const WHOLE: ReadonlySet<string> = new Set([
  ...Object.keys(REDIRECTS),
  'other path',
  'other method',
  'absolute-form target',
  'asks to go on or to change',
  'huge header',
  'huge body',
  'many at once',
  'right one behind another',
])
const ENDINGS = ['close', 'close', 'close', 'reset'] as const
