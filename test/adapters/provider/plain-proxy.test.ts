import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { proxyFor } from '../../../src/adapters/provider/proxy.ts'
import { startConnectProxy } from '../../support/connect-proxy.ts'
import { setNetwork } from './environment.ts'
import { rejection, told } from './faults.ts'
import { serve } from './servers.ts'

const POST = { method: 'POST', headers: {}, body: 'refresh_token=the end' } as const

describe('plain http to this machine', () => {
  it.each(['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'])(
    'goes through a proxy on this machine that %s names',
    async (variable) => {
      const received: IncomingHttpHeaders[] = []
      const server = await serve((incoming, response) => {
        received.push(incoming.headers)
        response.end('{}')
      })
      const { host } = new URL(server.origin)
      const proxy = await startConnectProxy()
      setNetwork({ [variable]: proxy.address })
      expect((await request(`${server.origin}/token`, POST)).body).toBe('{}')
      expect(proxy.answers).toEqual([`CONNECT ${host} 200`])
      expect(received).toEqual([
        { 'accept-encoding': 'identity', host, connection: 'close', 'content-length': '21' },
      ])
      await expect.poll(() => proxy.clients).toBe(0)
    },
  )

  it.each([
    'http://proxy.corp:3128',
    'http://192.0.2.1:3128',
    'https://192.0.2.1:3128',
    'http://localhost.corp:3128',
    'http://127.0.0.1.corp:3128',
    'socks5://127.0.0.1:1080',
    'ftp://127.0.0.1',
  ])('does not go to %s, which is no proxy on this machine', async (address) => {
    const server = await serve((_, response) => response.end('{}'))
    setNetwork({ HTTP_PROXY: address })
    expect((await request(`${server.origin}/token`, POST)).body).toBe('{}')
  })

  it.each([
    ['*', 'http://127.0.0.1:8080'],
    ['localhost', 'http://localhost:8080'],
    ['localhost:80', 'http://localhost'],
    ['127.0.0.0/8', 'http://127.9.9.9'],
    ['[::1]:8080', 'http://[::1]:8080'],
  ])('goes without one where NO_PROXY is %s, to %s', (exceptions, address) => {
    const env = { HTTP_PROXY: 'http://127.0.0.1:3128' }
    expect(proxyFor(new URL(address), env)?.host).toBe('127.0.0.1:3128')
    expect(proxyFor(new URL(address), { ...env, NO_PROXY: exceptions })).toBe(undefined)
  })

  it('is not sent again when the connection ends behind the proxy', async () => {
    let requests = 0
    const server = await serve((incoming) => {
      requests += 1
      incoming.on('data', () => incoming.socket.destroy())
    })
    const proxy = await startConnectProxy()
    setNetwork({ HTTP_PROXY: proxy.address })
    const { host } = new URL(server.origin)
    expect(await told(request(`${server.origin}/token`, POST))).toMatchObject({
      code: 'network',
      message: `The connection to ${host} (through the proxy ${proxy.host}) was lost before its answer was complete (ECONNRESET).`,
      mayRetry: false,
    })
    expect(requests).toBe(1)
  })

  it('is told how to go without a proxy that does not let it', async () => {
    const proxy = await startConnectProxy()
    proxy.refusal = { status: 403 }
    setNetwork({ HTTP_PROXY: proxy.address })
    expect(await told(request('http://localhost/token', POST))).toEqual({
      code: 'network',
      message: `The proxy ${proxy.host} refused the connection to localhost (403).`,
      mayRetry: false,
      nextStep: 'check that the proxy in HTTP_PROXY may connect there, or put localhost into NO_PROXY',
    })
    expect(proxy.answers).toEqual(['CONNECT localhost:80 403'])
  })
})

describe('https that nobody answers', () => {
  it('is told that the proxy which is named is not for it', async () => {
    setNetwork({ HTTP_PROXY: 'http://proxy.corp:3128' })
    expect(await told(request('https://127.0.0.1:1/token', POST))).toMatchObject({
      message: '127.0.0.1:1 could not be reached (ECONNREFUSED).',
      nextStep: 'if this network needs a proxy, name it in HTTPS_PROXY: HTTP_PROXY is for plain http only',
    })
  })

  it('is told nothing of a proxy where there is none, or one that was not to be used', async () => {
    setNetwork()
    expect((await rejection(request('https://127.0.0.1:1/token', POST))).nextStep).toBe(undefined)
    setNetwork({ HTTPS_PROXY: 'http://proxy.corp', HTTP_PROXY: 'http://proxy.corp', NO_PROXY: '127.0.0.1' })
    expect((await rejection(request('https://127.0.0.1:1/token', POST))).nextStep).toBe(undefined)
  })
})
