import { once } from 'node:events'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { rejection, told } from './faults.ts'
import { onRequest, serve, serveBytes } from './servers.ts'
import { happening, stopTime } from './time.ts'

const POST = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'the end' } as const
const GET = { method: 'GET', headers: {} } as const

const lost = (host: string): object => ({
  code: 'network',
  message: `The connection to ${host} was lost before its answer was complete (ECONNRESET).`,
  mayRetry: false,
})

const late = (host: string, limit: string): object => ({
  code: 'timeout',
  message: `${host} did not answer within ${limit}.`,
  mayRetry: false,
})

describe('request', () => {
  it('sends what it was given and hands back the whole answer', async () => {
    const received: string[] = []
    const host = await serveBytes((socket) =>
      onRequest(socket, (text) => {
        received.push(text)
        socket.end('HTTP/1.1 201 Created\r\nX-One: 1\r\nContent-Length: 3\r\n\r\n\u{20ac}')
      }),
    )
    const answer = await request(`http://${host}/token?a=b`, POST)
    expect(answer).toEqual({
      host,
      status: 201,
      headers: { 'x-one': '1', 'content-length': '3' },
      body: '\u{20ac}',
    })
    expect(received).toEqual([
      [
        'POST /token?a=b HTTP/1.1',
        'accept-encoding: identity',
        'content-type: text/plain',
        `Host: ${host}`,
        'Connection: close',
        'Content-Length: 7',
        '',
        'the end',
      ].join('\r\n'),
    ])
  })

  it.each([307, 401, 407, 408, 421, 425, 429, 500, 502, 503])(
    'sends once when the answer is %i',
    async (status) => {
      const paths: (string | undefined)[] = []
      const { origin } = await serve((incoming, response) => {
        paths.push(incoming.url)
        incoming.resume().on('end', () => {
          response.writeHead(status, { location: '/elsewhere', 'retry-after': '0' }).end()
        })
      })
      expect((await request(`${origin}/token`, POST)).status).toBe(status)
      expect(paths).toEqual(['/token'])
    },
  )

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text: string) => Buffer.from(text)],
  ])('reads a body packed as %s, although it asked for none', async (encoding, pack) => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(pack('{"a":1}'))
    })
    expect((await request(origin, GET)).body).toBe('{"a":1}')
  })

  it.each(['gzip', 'br', 'zstd', 'gzip, gzip'])(
    'reads an object that was unpacked on its way, and is %s by its header only',
    async (encoding) => {
      const { origin } = await serve((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end('{"a":1}')
      })
      expect((await request(origin, GET)).body).toBe('{"a":1}')
    },
  )

  it('takes an empty packed body as empty', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(401, { 'content-encoding': 'gzip' }).end()
    })
    expect((await request(origin, GET)).body).toBe('')
  })

  it('passes over a byte order mark', async () => {
    const { origin } = await serve((_, response) => response.end('\u{feff}{}'))
    expect((await request(origin, GET)).body).toBe('{}')
  })
})

describe('an answer of which only the end is missing', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n'

  it.each([
    ['shorter than its length says', `${HEAD}Content-Length: 20\r\n\r\n{"a":1}`],
    ['in chunks without a last one', `${HEAD}Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n`],
  ])('is read when it is %s', async (_, bytes) => {
    const host = await serveBytes((socket) => onRequest(socket, () => socket.end(bytes)))
    expect((await request(`http://${host}/`, POST)).body).toBe('{"a":1}')
  })

  it('is read when it is packed', async () => {
    const { origin } = await serve((_, response) => {
      const packed = gzipSync('{"a":1}')
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length + 1 })
      response.write(packed, () => response.destroy())
    })
    expect((await request(origin, GET)).body).toBe('{"a":1}')
  })

  it('is read when the time for it is over', async () => {
    const { origin } = await serve((_, response) => response.writeHead(200).write('{"a":1}'))
    expect((await request(origin, GET, { timeout: 500 })).body).toBe('{"a":1}')
  })

  it.each(['', '{"a":1', '[{"a":1}', '"a"', '12', 'a page'])('is none when it is %j', async (text) => {
    const host = await serveBytes((socket) =>
      onRequest(socket, () => socket.end(`${HEAD}Content-Length: 20\r\n\r\n${text}`)),
    )
    expect(await told(request(`http://${host}/`, POST))).toMatchObject(lost(host))
  })
})

describe('an answer that is too much', () => {
  it('is read up to the limit only, however long it goes on', async () => {
    let left: Promise<unknown> | undefined
    const { origin } = await serve((_, response) => {
      left = once(response, 'close')
      const more = (): void => {
        while (response.write('x'.repeat(64 * 1024)));
        response.once('drain', more)
      }
      more()
    })
    const host = new URL(origin).host
    expect(await told(request(origin, GET))).toEqual({
      code: 'invalid_answer',
      message: `${host} answered 200 with more than a token answer can be.`,
      mayRetry: false,
    })
    await left
  })

  it('is one byte longer than the limit', async () => {
    let length = 1024 * 1024
    const { origin } = await serve((_, response) => response.end('x'.repeat(length++)))
    expect((await request(origin, GET)).body.length).toBe(1024 * 1024)
    expect(await told(request(origin, GET))).toMatchObject({ code: 'invalid_answer' })
  })

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('is not unpacked beyond the limit from %s', async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(4 * 1024 * 1024))
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb)
    })
    expect(await told(request(origin, GET))).toEqual({
      code: 'invalid_answer',
      message: `${new URL(origin).host} answered 200 with more than a token answer can be.`,
      mayRetry: false,
    })
  })

  it.each(['gzip', 'br', 'zstd', 'gzip, gzip'])(
    'is refused when it is not the %s it claims',
    async (encoding) => {
      const { origin } = await serve((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end('a page')
      })
      expect(await told(request(origin, GET))).toEqual({
        code: 'invalid_answer',
        message: `${new URL(origin).host} answered 200 in an encoding that cannot be read.`,
        mayRetry: false,
      })
    },
  )
})

describe('a request that never left', () => {
  it('may be sent again when the connection is refused', async () => {
    expect(await told(request('http://127.0.0.1:1/token', POST))).toEqual({
      code: 'network',
      message: '127.0.0.1:1 could not be reached (ECONNREFUSED).',
      mayRetry: true,
      cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', syscall: 'connect' },
    })
  })

  it('says so for a name with several addresses as well', async () => {
    expect(await told(request('http://localhost:1/token', POST))).toMatchObject({
      code: 'network',
      message: 'localhost:1 could not be reached (ECONNREFUSED).',
      mayRetry: true,
    })
  })
})

describe('a request that may have left', () => {
  it('may not be sent again when the connection ends without an answer', async () => {
    const host = await serveBytes((socket) => onRequest(socket, () => socket.end()))
    expect(await told(request(`http://${host}/token`, POST))).toMatchObject(lost(host))
  })

  it('may not be sent again when the connection is reset', async () => {
    const host = await serveBytes((socket) => onRequest(socket, () => socket.resetAndDestroy()))
    expect(await told(request(`http://${host}/token`, POST))).toEqual({
      ...lost(host),
      cause: { message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' },
    })
  })

  it('may not be sent again when the answer is cut off', async () => {
    const host = await serveBytes((socket) =>
      onRequest(socket, () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"access_token":')),
    )
    expect(await told(request(`http://${host}/token`, POST))).toMatchObject(lost(host))
  })

  it.each([
    ['a greeting', '220 mail.example.com ESMTP\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(64 * 1024)}\r\n\r\n`],
  ])('may not be sent again when the answer is %s', async (_, answer) => {
    const host = await serveBytes((socket) => onRequest(socket, () => socket.write(answer)))
    const error = await rejection(request(`http://${host}/token`, POST))
    expect(error).toMatchObject({ code: 'invalid_answer', mayRetry: false })
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ answered with something that is not HTTP \(HPE_\w+\)\.$/)
    expect(Object.keys(error.cause ?? {}).toSorted()).toEqual(['code', 'syscall'])
  })

  it('may not be sent again when the server wants to speak something else', async () => {
    const host = await serveBytes((socket) =>
      onRequest(socket, () =>
        socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
      ),
    )
    expect(await told(request(`http://${host}/token`, POST))).toMatchObject(lost(host))
  })
})

describe('the time limit', () => {
  it('is 15 seconds for an answer', async () => {
    const pass = stopTime()
    const asked = happening()
    const host = await serveBytes((socket) => onRequest(socket, asked.happen))
    const fault = told(request(`http://${host}/`, POST))
    await asked.happened
    pass(14_999)
    expect(await Promise.race([fault, nextTurn('still waiting')])).toBe('still waiting')
    pass(1)
    expect(await fault).toEqual(late(host, '15 s'))
  })

  it('is another one where it is told', async () => {
    const pass = stopTime()
    const asked = happening()
    const host = await serveBytes((socket) => onRequest(socket, asked.happen))
    const fault = told(request(`http://${host}/`, POST, { timeout: 250 }))
    await asked.happened
    pass(250)
    expect(await fault).toEqual(late(host, '0.3 s'))
  })

  it('counts until the last byte of a body that drips', async () => {
    const pass = stopTime()
    const dripped = happening()
    const { origin } = await serve((_, response) => {
      let drops = 0
      const drip = setInterval(() => response.write('x', () => ++drops === 3 && dripped.happen()), 1)
      response.on('close', () => clearInterval(drip))
    })
    const fault = told(request(origin, GET))
    await dripped.happened
    pass(15_000)
    expect(await fault).toEqual(late(new URL(origin).host, '15 s'))
  })

  it('leaves an answer alone that comes before it', async () => {
    const { origin } = await serve((_, response) => response.end('{}'))
    const { body } = await request(origin, GET, { timeout: 2000 })
    expect(body).toBe('{}')
  })
})

describe('the signal', () => {
  it('ends the wait with its own reason, and the connection with it', async () => {
    const interruption = new AbortController()
    const reason = new Error('enough')
    let left: Promise<unknown> | undefined
    const { origin } = await serve((incoming) => {
      left = once(incoming.socket, 'close')
      interruption.abort(reason)
    })
    await expect(request(origin, GET, { signal: interruption.signal })).rejects.toBe(reason)
    await left
  })

  it('keeps a request from being sent when it was given before', async () => {
    let connections = 0
    const host = await serveBytes(() => connections++)
    const reason = new Error('enough')
    await expect(request(`http://${host}/`, GET, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(connections).toBe(0)
  })
})
