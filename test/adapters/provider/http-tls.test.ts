import { once } from 'node:events'
import { createServer } from 'node:https'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { selfSigned } from '../../support/certificates.ts'
import { setNetwork } from './environment.ts'
import { rejection, told } from './faults.ts'
import { fileOf } from './network.ts'
import { listening, serveBytes } from './servers.ts'
import { happening, stopTime } from './time.ts'

const HOUR = 3_600_000
const POST = { method: 'POST', headers: {}, body: 'refresh_token=the end' } as const

beforeEach(() => setNetwork())

describe('a server that cannot be talked to safely', () => {
  it('is told nothing when its certificate is not trusted', async () => {
    const received: unknown[] = []
    const server = createServer(selfSigned(), (incoming) => received.push(incoming.url))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    const host = await listening(server)
    const left = once(server, 'connection').then(([socket]) => once(socket, 'close'))
    expect(await told(request(`https://${host}/token`, POST))).toEqual({
      code: 'network',
      message: `The certificate of ${host} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT).`,
      mayRetry: true,
      nextStep: 'if this network inspects TLS, name its certificate authority in NODE_EXTRA_CA_CERTS',
      cause: { message: 'DEPTH_ZERO_SELF_SIGNED_CERT', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    await left
    expect(received).toEqual([])
  })

  it.each([
    ['has expired', 'CERT_HAS_EXPIRED', 2 * HOUR],
    ['is not valid yet', 'CERT_NOT_YET_VALID', -HOUR],
  ])('is told nothing when its certificate %s, and no authority is to blame', async (what, code, since) => {
    const identity = selfSigned(since)
    const server = createServer(identity, (_, response) => response.end('{}'))
    onTestFinished(() => void server.close())
    const host = await listening(server)
    setNetwork({ CODEX_CA_CERTIFICATE: fileOf(identity.cert) })
    expect(await told(request(`https://${host}/token`, POST))).toEqual({
      code: 'network',
      message: `The certificate of ${host} ${what} (${code}).`,
      mayRetry: true,
      nextStep: 'check the clock of this machine; if it is right, only the server can renew its certificate',
      cause: { message: code, code },
    })
  })

  it('is told nothing when it does not speak TLS', async () => {
    const received: string[] = []
    const host = await serveBytes((socket) =>
      socket.on('data', (bytes) => {
        received.push(bytes.toString('latin1'))
        socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      }),
    )
    const error = await rejection(request(`https://${host}/token`, POST))
    expect(error).toMatchObject({ code: 'network', mayRetry: true })
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+ could not be reached \(\w+\)\.$/)
    expect(received.join('')).not.toContain('refresh_token')
  })

  it('is told nothing when it hangs up in the middle of the handshake', async () => {
    const host = await serveBytes((socket) => socket.once('data', () => socket.end()))
    expect(await told(request(`https://${host}/token`, POST))).toMatchObject({
      code: 'network',
      message: `${host} could not be reached (ECONNRESET).`,
      mayRetry: true,
    })
  })

  it('is told nothing when it is silent until the time is over', async () => {
    const pass = stopTime()
    const greeted = happening()
    const host = await serveBytes((socket) => socket.once('data', greeted.happen))
    const fault = told(request(`https://${host}/token`, POST))
    await greeted.happened
    pass(15_000)
    expect(await fault).toEqual({
      code: 'network',
      message: `${host} could not be reached within 15 s.`,
      mayRetry: true,
    })
  })
})
