import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import type { RequestFault } from '../result-page/strings.ts'

/** The longest request target that is looked at, in characters; a code and a state take a few hundred. */
const targetLimit = 8 * 1024

/** What is wrong with a request whatever it asks for. `undefined`: nothing. */
export function requestFault(request: IncomingMessage): RequestFault | undefined {
  if ((request.url ?? '').length > targetLimit) return 'address_too_long'
  if (!isForLoopback(request)) return 'wrong_host'
  if (hasBody(request)) return 'body'
  return undefined
}

/** A page elsewhere can point its name at 127.0.0.1 (DNS rebinding); its requests then carry that name. */
function isForLoopback(request: IncomingMessage): boolean {
  const [host, ...more] = request.headersDistinct['host'] ?? []
  return (
    host !== undefined && more.length === 0 && loopbackHosts(request.socket.localPort).has(host.toLowerCase())
  )
}

/** The values of `Host` that mean this port. A browser leaves out the port when it is 80. */
export function loopbackHosts(port: number | undefined): Set<string> {
  const names = ['localhost', '127.0.0.1', '[::1]']
  return new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]))
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}

interface Target {
  readonly path: string
  readonly query: string
}

/**
 * The request target in two parts, as sent: nothing is decoded or resolved, so only the exact path matches.
 */
export function targetOf(request: IncomingMessage): Target {
  const url = request.url ?? ''
  const mark = url.indexOf('?')
  return mark === -1 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

/** Whether there is one `state`, and it is this one. The time this takes does not tell where they differ. */
export function hasState(parameters: URLSearchParams, expected: string): boolean {
  const [state, ...more] = parameters.getAll('state')
  if (state === undefined || more.length > 0) return false
  const actual = Buffer.from(state)
  const wanted = Buffer.from(expected)
  return actual.length === wanted.length && timingSafeEqual(actual, wanted)
}

/** RFC 6749, section 3.1: no parameter more than once. Which of two codes is meant cannot be told. */
export function repeatsParameter(parameters: URLSearchParams): boolean {
  return ['code', 'iss', 'error'].some((name) => parameters.getAll(name).length > 1)
}
