import * as http from 'node:http'
import * as https from 'node:https'
import { isIP, type Socket } from 'node:net'
import { AuthError } from '../../errors.ts'
import { trace } from '../trace.ts'
import { AGENT_OPTIONS } from './agent-options.ts'
import { connectionFault } from './connection-fault.ts'
import type { Environment } from './network-variables.ts'
import { PassingFault } from './passing-fault.ts'
import { portOf } from './port-of.ts'
import type { ProxyServer } from './proxy.ts'

/**
 * Asks the proxy to connect us to the server (RFC 9110, section 9.3.6). Of the request itself nothing has left when this
 * throws.
 * @param options for the connection to an https proxy.
 * @throws {PassingFault} `network`, also when the signal is aborted first.
 */
export async function openTunnel(
  url: URL,
  proxy: ProxyServer,
  options: https.AgentOptions,
  env: Environment,
  signal: AbortSignal,
): Promise<Socket> {
  const outgoing = ask(url, proxy, options, signal)
  try {
    const { incoming, socket } = await answerTo(outgoing)
    const { statusCode: status = 0 } = incoming
    trace(() => `CONNECT ${authority(url)} at the proxy ${proxy.host}: ${status}`)
    if (status >= 200 && status < 300) return socket
    socket.destroy()
    throw refusedFault(incoming, url, proxy)
  } catch (error) {
    if (error instanceof AuthError) throw error
    const host = `${proxy.host} (the proxy in ${proxy.variable})`
    throw await connectionFault(error, outgoing, { host, nextStep: proxy.nextStep }, false, env)
  }
}

function ask(
  url: URL,
  { address, authorization }: ProxyServer,
  options: https.AgentOptions,
  signal: AbortSignal,
): http.ClientRequest {
  const { request, Agent } = address.protocol === 'http:' ? http : https
  const host = address.hostname.replace(/^\[|\]$/g, '')
  const message: https.RequestOptions = {
    method: 'CONNECT',
    path: authority(url),
    headers: { host: authority(url), ...(authorization && { 'proxy-authorization': authorization }) },
    // Without it, the name in the header `host` would be looked for in the certificate of the proxy.
    servername: isIP(host) === 0 ? host : '',
    agent: new Agent({ ...AGENT_OPTIONS, ...options }),
    signal,
  }
  return request(address, message)
}

function authority(url: URL): string {
  return `${url.hostname}:${portOf(url)}`
}

/** Bytes right behind the answer are dropped: in TLS, as in HTTP, it is never the server that speaks first. */
function answerTo(outgoing: http.ClientRequest): Promise<{ incoming: http.IncomingMessage; socket: Socket }> {
  return new Promise((resolve, reject) => {
    outgoing.on('connect', (incoming, socket) => resolve({ incoming, socket })).on('error', reject)
    outgoing.on('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
    outgoing.end()
  })
}

/** What the proxy's own way to the server met (5xx) may pass; what it does not allow will not. */
function refusedFault(incoming: http.IncomingMessage, url: URL, proxy: ProxyServer): PassingFault {
  const { statusCode: status = 0 } = incoming
  if (status >= 500) {
    const message = `The proxy ${proxy.host} could not connect to ${url.host} (${status}).`
    return new PassingFault('network', message, { mayRetry: true })
  }
  return new PassingFault(
    'network',
    `The proxy ${proxy.host} refused the connection to ${url.host} (${status}).`,
    {
      nextStep:
        // Tinyproxy says 401 of a wrong password, and 407 where there is none.
        status === 407 || status === 401
          ? signInAt(proxy, incoming)
          : `check that the proxy in ${proxy.variable} may connect there${exceptionFor(url)}`,
    },
  )
}

/** Many proxies connect to no port but that of https, and to their own machine not at all. */
function exceptionFor({ protocol, hostname }: URL): string {
  return protocol === 'http:' ? `, or put ${hostname} into NO_PROXY` : ''
}

function signInAt({ variable, authorization, host }: ProxyServer, { headers }: http.IncomingMessage): string {
  const schemes = headers['proxy-authenticate']?.toString() ?? 'Basic'
  if (!/\bbasic\b/i.test(schemes)) return `name a proxy in ${variable} that takes a user and password`
  if (authorization === undefined) return `put them into ${variable}: http://user:password@${host}`
  return `check the user and password in ${variable}`
}
