import * as http from 'node:http'
import * as https from 'node:https'
import { AuthError } from '../../errors.ts'
import { trace } from '../trace.ts'
import { AGENT_OPTIONS } from './agent-options.ts'
import { readBody } from './answer-body.ts'
import { connectionFault } from './connection-fault.ts'
import { routeTo } from './route.ts'
import { lacksAuthority, lateFault } from './transport-fault.ts'

/** Milliseconds from the call until the last byte of the answer. */
const ANSWER_TIMEOUT = 15_000

/** Bytes of an answer's body, as sent and as unpacked. A token answer has a few thousand. */
const ANSWER_LIMIT = 1024 * 1024

interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

export interface RequestLimits {
  /** Milliseconds until the last byte of the answer. Default: {@link ANSWER_TIMEOUT}. */
  readonly timeout?: number | undefined
  /** Default: {@link ANSWER_LIMIT}. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer that arrived whole, whatever its status. */
export interface HttpAnswer {
  /** Of the address asked, with its port where that is not the usual one. */
  readonly host: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<http.IncomingHttpHeaders>
  readonly body: string
}

/**
 * Sends one request, once, and reads its answer; redirects are answers like any other. Not through `fetch`, which
 * sends a request a second time when the answer is 421, and cannot tell whether a failed one had left.
 * The connection is closed afterwards, so it never keeps the process alive.
 * It goes through the proxy and trusts the certificate authorities that the environment names, and those of the system.
 * @throws {PassingFault} `network`, `timeout`, or `invalid_answer` for one that is too large or cannot be unpacked.
 * @throws {AuthError} `usage` for a proxy that cannot be used.
 * @throws the signal's reason when it is aborted before the answer is there.
 */
export async function request(
  address: string,
  message: HttpRequest,
  { timeout = ANSWER_TIMEOUT, ...limits }: RequestLimits = {},
): Promise<HttpAnswer> {
  const url = new URL(address)
  const end = performance.now() + timeout
  try {
    return await attempt(url, message, { timeout, ...limits }, false)
  } catch (error) {
    // Not a byte of the request has left: where TLS is inspected, the system often knows an authority that Node.js does not.
    if (!lacksAuthority(error)) throw error
    return attempt(url, message, { timeout: end - performance.now(), ...limits }, true)
  }
}

async function attempt(
  url: URL,
  message: HttpRequest,
  { timeout, limit = ANSWER_LIMIT, signal }: RequestLimits & { readonly timeout: number },
  allRoots: boolean,
): Promise<HttpAnswer> {
  const route = await routeTo(url, process.env, allRoots)
  signal?.throwIfAborted()
  const stop = new AbortController()
  const connection = { made: false }
  const cancelDeadline = atDeadline(timeout, () => stop.abort(lateFault(route, timeout, connection.made)))
  const giveUp = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', giveUp, { once: true })
  let outgoing: http.ClientRequest | undefined
  try {
    outgoing = open(url, message, await route.connect(stop.signal), stop.signal)
    watch(outgoing, url, connection)
    const incoming = await send(outgoing, message.body)
    const body = await readBody(incoming, url.host, limit)
    trace(() => `${message.method} ${url.origin}${url.pathname}: ${incoming.statusCode}`)
    return { host: url.host, status: incoming.statusCode ?? 0, headers: incoming.headers, body }
  } catch (error) {
    trace(() => `${message.method} ${url.origin}${url.pathname}: no answer`)
    stop.signal.throwIfAborted()
    if (error instanceof AuthError) throw error
    throw await connectionFault(error, outgoing, route, connection.made, process.env)
  } finally {
    cancelDeadline()
    signal?.removeEventListener('abort', giveUp)
    outgoing?.destroy()
  }
}

/** Milliseconds by which a timer comes late only when the process was stopped, or the machine asleep. */
const SLEPT = 500

/** Milliseconds for an answer that came meanwhile: after a sleep, timers go off before anything is read. */
const AFTER_SLEEP = 2000

/** Calls back once the time is over. Returns what cancels it. */
function atDeadline(timeout: number, late: () => void): () => void {
  const due = performance.now() + timeout
  let timer = setTimeout(() => {
    if (performance.now() - due < SLEPT) return late()
    timer = setTimeout(late, AFTER_SLEEP)
  }, timeout)
  return () => clearTimeout(timer)
}

function open(
  url: URL,
  { method, headers }: HttpRequest,
  options: https.AgentOptions,
  signal: AbortSignal,
): http.ClientRequest {
  const { request: start, Agent } = url.protocol === 'http:' ? http : https
  const sent = { method, headers: { 'accept-encoding': 'identity', ...headers }, signal }
  const { socket } = options
  // Of TLS, an agent takes a socket to speak it on.
  if (url.protocol === 'http:' && socket) return start(url, { ...sent, createConnection: () => socket })
  return start(url, { ...sent, agent: new Agent({ ...AGENT_OPTIONS, ...options }) })
}

/** Not a byte of a request leaves before its connection is made, with TLS where there is TLS. */
function watch(outgoing: http.ClientRequest, url: URL, connection: { made: boolean }): void {
  const event = url.protocol === 'http:' ? 'connect' : 'secureConnect'
  outgoing.once('socket', (socket) => {
    // A tunnel for plain http is made already.
    if (url.protocol === 'http:' && !socket.connecting) connection.made = true
    socket.once(event, () => (connection.made = true))
  })
}

function send(outgoing: http.ClientRequest, body: string | undefined): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve).on('error', reject).end(body)
    // A server that wants to change to another protocol ends the connection without an error.
    outgoing.on('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  })
}
