import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { inspect } from 'node:util'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, it } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { startConnectProxy, type ConnectProxy } from '../../support/connect-proxy.ts'
import { setNetwork } from './environment.ts'
import { rejection, tell, told } from './faults.ts'
import { AUTHORITY, fileOf, serveSecurely } from './network.ts'
import { serveBytes } from './servers.ts'
import { happening, stopTime } from './time.ts'

const POST = { method: 'POST', headers: {}, body: 'refresh_token=the end' } as const

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const hasIpv6 = Object.values(networkInterfaces()).some((one) =>
  one?.some(({ address }) => address === '::1'),
)

/** Node.js 22.23 finds no IPv6 address in any certificate. */
const canIpv6 =
  hasIpv6 &&
  checkServerIdentity('::1', { subjectaltname: 'IP Address:0:0:0:0:0:0:0:1' } as PeerCertificate) ===
    undefined

let received: Received[] = []

beforeEach(() => {
  received = []
})

/** A server at https://issuer.test that keeps what it gets; its host. */
async function startIssuer(): Promise<string> {
  const port = await serveSecurely((incoming, response) => {
    const answer = async (): Promise<void> => {
      const { method, url, headers } = incoming
      received.push({ method, url, headers, body: await text(incoming) })
      response.writeHead(201, { 'x-one': '1' }).end('{}')
    }
    void answer()
  }, 'issuer.test')
  return `issuer.test:${port}`
}

/** The environment of a network whose only way out is this proxy. */
function goThrough({ address }: Pick<ConnectProxy, 'address'>, more: Record<string, string> = {}): void {
  setNetwork({ HTTPS_PROXY: address, CODEX_CA_CERTIFICATE: fileOf(AUTHORITY.certificate), ...more })
}

/** The name of a proxy that does with bytes what a test tells it. */
async function goThroughBytes(onConnection: (socket: Socket) => void): Promise<string> {
  const host = await serveBytes(onConnection)
  goThrough({ address: `http://${host}` })
  return host
}

describe('through a proxy', () => {
  it('a request arrives as it does without one, and the proxy cannot read it', async () => {
    const host = await startIssuer()
    const proxy = await startConnectProxy()
    goThrough(proxy)
    const { headers, ...answer } = await request(`https://${host}/token?a=b`, POST)
    expect(answer).toEqual({ host, status: 201, body: '{}' })
    expect(headers['x-one']).toBe('1')
    expect(received).toEqual([
      {
        method: 'POST',
        url: '/token?a=b',
        headers: { 'accept-encoding': 'identity', host, connection: 'close', 'content-length': '21' },
        body: 'refresh_token=the end',
      },
    ])
    expect(proxy.answers).toEqual([`CONNECT ${host} 200`])
    expect(proxy.carried('refresh_token')).toBe(false)
  })

  it('that speaks TLS itself, by its own name, a request arrives as well', async () => {
    const host = await startIssuer()
    const secure = { hostname: 'localhost', identity: AUTHORITY.issue('localhost') }
    const proxy = await startConnectProxy({ secure })
    goThrough(proxy)
    expect((await request(`https://${host}/token`, POST)).status).toBe(201)
    expect(proxy.answers).toEqual([`CONNECT ${host} 200`])
  })

  it.each(canIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])(
    'that speaks TLS at %s, a request arrives as well',
    async (address) => {
      const host = await startIssuer()
      const hostname = address === '::1' ? '[::1]' : address
      const proxy = await startConnectProxy({ secure: { hostname, identity: AUTHORITY.issue(address) } })
      goThrough(proxy)
      expect((await request(`https://${host}/token`, POST)).status).toBe(201)
    },
  )

  it('no connection is left when the answer is there, although the server would keep it', async () => {
    const headers = { connection: 'keep-alive', 'content-length': 2 }
    const port = await serveSecurely(
      (_, response) => response.writeHead(200, headers).end('{}'),
      'issuer.test',
    )
    const proxy = await startConnectProxy()
    goThrough(proxy)
    expect((await request(`https://issuer.test:${port}/token`, POST)).body).toBe('{}')
    await expect.poll(() => proxy.clients).toBe(0)
  })

  it('the usual port is asked for by its number', async () => {
    const proxy = await startConnectProxy()
    proxy.refusal = { status: 403 }
    goThrough(proxy)
    await rejection(request('https://issuer.test/token', POST))
    await rejection(request('https://[2001:db8::5]/token', POST))
    expect(proxy.answers).toEqual(['CONNECT issuer.test:443 403', 'CONNECT [2001:db8::5]:443 403'])
  })
})

/** What a proxy answers, and then keeps the connection open. */
function answering(status: string, ...headers: readonly string[]): (socket: Socket) => void {
  return (socket) =>
    socket.once('data', () => socket.write(`${[`HTTP/1.1 ${status}`, ...headers].join('\r\n')}\r\n\r\n`))
}

function refused(host: string, status: number, nextStep: string): object {
  const message = `The proxy ${host} refused the connection to issuer.test (${status}).`
  return { code: 'network', message, mayRetry: false, nextStep }
}

const ASK = 'https://issuer.test/token'

describe('a proxy that refuses to connect is not asked again', () => {
  it('because the password is wrong', async () => {
    const proxy = await startConnectProxy()
    goThrough({ address: `http://alice:wrong@${proxy.host}` })
    expect(await told(request(ASK, POST))).toEqual(
      refused(proxy.host, 407, 'check the user and password in HTTPS_PROXY'),
    )
    expect(proxy.answers).toEqual(['CONNECT issuer.test:443 407'])
  })

  it('because the password is wrong, in the words of a server', async () => {
    const host = await goThroughBytes(answering('401 Unauthorized', 'WWW-Authenticate: Basic realm="x"'))
    goThrough({ address: `http://alice:wrong@${host}` })
    expect(await told(request(ASK, POST))).toEqual(
      refused(host, 401, 'check the user and password in HTTPS_PROXY'),
    )
  })

  it('because there is no password', async () => {
    const proxy = await startConnectProxy()
    goThrough({ address: proxy.host })
    expect(await told(request(ASK, POST))).toEqual(
      refused(proxy.host, 407, `put them into HTTPS_PROXY: http://user:password@${proxy.host}`),
    )
  })

  it('because it wants no password but something else', async () => {
    const wanted = ['Proxy-Authenticate: Negotiate', 'Proxy-Authenticate: NTLM']
    const host = await goThroughBytes(answering('407 No', ...wanted))
    expect(await told(request(ASK, POST))).toEqual(
      refused(host, 407, 'name a proxy in HTTPS_PROXY that takes a user and password'),
    )
  })

  it.each([302, 400, 403, 405])('because of anything else (%i)', async (status) => {
    const host = await goThroughBytes(answering(`${status} No`))
    expect(await told(request(ASK, POST))).toEqual(
      refused(host, status, 'check that the proxy in HTTPS_PROXY may connect there'),
    )
  })

  it('and does not keep the connection', async () => {
    const closed = happening()
    await goThroughBytes((socket) => {
      socket.once('close', closed.happen)
      answering('403 No')(socket)
    })
    expect(await rejection(request(ASK, POST))).toMatchObject({ code: 'network' })
    await closed.happened
  })
})

describe('a proxy that cannot connect may be asked again', () => {
  it.each([500, 502, 503, 504])('because it met a failure itself (%i)', async (status) => {
    const host = await goThroughBytes(answering(`${status} No`))
    expect(await told(request(ASK, POST))).toEqual({
      code: 'network',
      message: `The proxy ${host} could not connect to issuer.test (${status}).`,
      mayRetry: true,
    })
  })

  it('because nobody listens there', async () => {
    goThrough({ address: 'http://127.0.0.1:1' })
    expect(await told(request(ASK, POST))).toEqual({
      code: 'network',
      message: '127.0.0.1:1 (the proxy in HTTPS_PROXY) could not be reached (ECONNREFUSED).',
      mayRetry: true,
      cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', syscall: 'connect' },
    })
  })

  it('because it hangs up', async () => {
    const host = await goThroughBytes((socket) => socket.once('data', () => socket.end()))
    expect(await told(request(ASK, POST))).toMatchObject({
      code: 'network',
      message: `${host} (the proxy in HTTPS_PROXY) could not be reached (ECONNRESET).`,
      mayRetry: true,
    })
  })

  it.each([
    ['is none', 'SSH-2.0-OpenSSH\r\n'],
    ['never ends its answer', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(64 * 1024)}`],
  ])('because it %s', async (_, answer) => {
    const host = await goThroughBytes((socket) => socket.once('data', () => socket.write(answer)))
    const error = await rejection(request(ASK, POST))
    expect(tell(error)).toMatchObject({ code: 'network', mayRetry: true })
    expect(error.message.replace(/HPE_\w+/, 'HPE')).toBe(
      `${host} (the proxy in HTTPS_PROXY) could not be reached (HPE).`,
    )
    expect(Object.keys(error.cause ?? {}).toSorted()).toEqual(['code', 'syscall'])
  })

  it('because it speaks no TLS, which its address says it does', async () => {
    const proxy = await startConnectProxy()
    goThrough({ address: `https://${proxy.host}` })
    const fault = await told(request(ASK, POST))
    // The code of it differs between versions of Node.js.
    expect({ ...fault, message: fault.message.replace(/\(\w+\)\.$/, '(CODE).') }).toMatchObject({
      message: `${proxy.host} (the proxy in HTTPS_PROXY) could not be reached (CODE).`,
      nextStep:
        'check the proxy in HTTPS_PROXY: with https:// it is spoken to in TLS, and most are named with http://',
    })
  })

  it('because its own certificate is not trusted, and it is told nothing', async () => {
    const secure = { hostname: 'localhost', identity: AUTHORITY.issue('other.test') }
    const proxy = await startConnectProxy({ secure })
    setNetwork({ ALL_PROXY: proxy.address, SSL_CERT_FILE: fileOf(AUTHORITY.certificate) })
    expect(await told(request(ASK, POST))).toMatchObject({
      code: 'network',
      message:
        `The certificate of ${proxy.host} (the proxy in ALL_PROXY) is for another name ` +
        `(ERR_TLS_CERT_ALTNAME_INVALID).`,
      mayRetry: true,
    })
    expect(proxy.answers).toEqual([])
  })

  it('because it is silent until the time is over, and is left then', async () => {
    const pass = stopTime()
    const [asked, closed] = [happening(), happening()]
    const host = await goThroughBytes((socket) =>
      socket.once('data', asked.happen).once('close', closed.happen),
    )
    const fault = told(request(ASK, POST))
    await asked.happened
    pass(15_000)
    expect(await fault).toEqual({
      code: 'network',
      message: `issuer.test (through the proxy ${host}) could not be reached within 15 s.`,
      mayRetry: true,
    })
    await closed.happened
  })
})

describe('a signal while the proxy is silent', () => {
  it('ends the wait with its own reason, and the connection with it', async () => {
    const interruption = new AbortController()
    const reason = new Error('enough')
    const closed = happening()
    await goThroughBytes((socket) =>
      socket.once('data', () => interruption.abort(reason)).once('close', closed.happen),
    )
    await expect(request(ASK, POST, { signal: interruption.signal })).rejects.toBe(reason)
    await closed.happened
  })
})

describe('a server behind a proxy', () => {
  it('is told nothing when its certificate is not trusted', async () => {
    const host = await startIssuer()
    const proxy = await startConnectProxy()
    setNetwork({ HTTPS_PROXY: proxy.address })
    expect(await told(request(`https://${host}/token`, POST))).toMatchObject({
      code: 'network',
      message:
        `The certificate of ${host} (through the proxy ${proxy.host}) is not trusted ` +
        `(UNABLE_TO_VERIFY_LEAF_SIGNATURE).`,
      mayRetry: true,
    })
    expect(received).toEqual([])
    await expect.poll(() => proxy.clients).toBe(0)
  })

  it('is told nothing when it has the certificate of another one', async () => {
    const port = await serveSecurely(() => undefined, 'other.test')
    const proxy = await startConnectProxy()
    goThrough(proxy)
    const error = await rejection(request(`https://issuer.test:${port}/token`, POST))
    expect(tell(error)).toMatchObject({
      message: `The certificate of issuer.test:${port} (through the proxy ${proxy.host}) is for another name (ERR_TLS_CERT_ALTNAME_INVALID).`,
      nextStep: 'check the address, and whether something else answers there',
    })
  })

  it('is told nothing when the proxy pretends to have connected', async () => {
    const over = happening()
    let after = ''
    const host = await goThroughBytes((socket) => {
      answering('200 OK', '', '<html>a captive portal')(socket)
      socket.on('data', (bytes) => {
        after += bytes.toString('latin1')
        if (!after.endsWith('\r\n\r\n')) socket.end()
      })
      socket.on('close', over.happen)
    })
    const error = await rejection(request(ASK, POST))
    expect(tell(error)).toMatchObject({ code: 'network', mayRetry: true })
    expect(error.message).toMatch(`issuer.test (through the proxy ${host}) could not be reached (`)
    await over.happened
    expect(after).not.toContain('refresh_token')
  })

  it('may have been told everything when the connection is lost after that', async () => {
    const proxy = await startConnectProxy()
    goThrough(proxy)
    const port = await serveSecurely(() => proxy.cut(), 'issuer.test')
    expect(await told(request(`https://issuer.test:${port}/token`, POST))).toMatchObject({
      code: 'network',
      message:
        `The connection to issuer.test:${port} (through the proxy ${proxy.host}) was lost before its answer was ` +
        `complete (ECONNRESET).`,
      mayRetry: false,
    })
  })

  it('may have been told everything when it does not answer in time', async () => {
    const pass = stopTime()
    const asked = happening()
    const proxy = await startConnectProxy()
    goThrough(proxy)
    const port = await serveSecurely(asked.happen, 'issuer.test')
    const fault = told(request(`https://issuer.test:${port}/token`, POST))
    await asked.happened
    pass(15_000)
    expect(await fault).toEqual({
      code: 'timeout',
      message: `issuer.test:${port} (through the proxy ${proxy.host}) did not answer within 15 s.`,
      mayRetry: false,
    })
    await expect.poll(() => proxy.clients).toBe(0)
  })
})

describe('no password of a proxy', () => {
  it.each<[what: string, prepare: (proxy: ConnectProxy) => void]>([
    ['a refusal', (proxy) => (proxy.refusal = { status: 407 })],
    ['a failure', (proxy) => (proxy.refusal = { status: 502 })],
    ['a lost connection', (proxy) => (proxy.refusal = 'cut')],
    ['a bad certificate', () => undefined],
  ])('is in the error about %s', async (_, prepare) => {
    const host = await startIssuer()
    const proxy = await startConnectProxy()
    prepare(proxy)
    setNetwork({ HTTPS_PROXY: proxy.address })
    const error = await rejection(request(`https://${host}/token`, POST))
    const printed = inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity })
    expect(proxy.secrets.filter((secret) => printed.includes(secret))).toEqual([])
  })
})

describe('a server on this machine', () => {
  it('is reached without the proxy where NO_PROXY names it', async () => {
    const port = await serveSecurely((_, response) => response.end('{}'), '127.0.0.1')
    const proxy = await startConnectProxy()
    goThrough(proxy, { NO_PROXY: '127.0.0.1' })
    expect((await request(`https://127.0.0.1:${port}/token`, POST)).body).toBe('{}')
    expect(proxy.answers).toEqual([])
  })

  it('is asked in plain http without a look at the proxy', async () => {
    const closed = happening()
    const host = await serveBytes((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
      closed.happen()
    })
    setNetwork({ HTTPS_PROXY: 'malformed:', HTTP_PROXY: 'malformed:', CODEX_CA_CERTIFICATE: '/nowhere' })
    expect((await request(`http://${host}/token`, POST)).body).toBe('{}')
  })
})
