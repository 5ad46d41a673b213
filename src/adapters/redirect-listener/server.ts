import { createServer, type Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { RequestFault } from '../result-page/strings.ts'
import type { Connections } from './connections.ts'
import { endWithFault } from './response.ts'
import type { Routes } from './routes.ts'

/** The request line and all headers together, in bytes. */
const headerLimit = 16 * 1024

/** An HTTP server that takes one request without a body per connection. `headerTimeout` is in ms. */
export function createCallbackServer(
  routes: Routes,
  connections: Connections,
  headerTimeout: number,
): Server {
  const server = createServer({
    maxHeaderSize: headerLimit,
    headersTimeout: headerTimeout,
    requestTimeout: headerTimeout,
    // Node looks for late requests only every so often; its own 30 s would be the real limit.
    connectionsCheckingInterval: Math.ceil(headerTimeout / 5),
    // Otherwise Node answers a request without Host by itself, without our headers.
    requireHostHeader: false,
  })
  server.maxRequestsPerSocket = 1
  // Node drops all behind the two thousandth without a word: a second `Host`, or a body, could hide there.
  server.maxHeadersCount = 0
  server.on('connection', (socket) => connections.add(socket))
  // `Expect` asks for leave to send a body: it gets the final answer, not the leave.
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.on(event, (request, response) => {
      connections.requested(request.socket)
      routes.handle(request, response)
    })
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What follows the bytes that broke it is an error again, and has its answer already.
    if (socket.writableEnded) return
    if (isHalfway(socket, connections)) endWithFault(socket, faultOf(error))
    else socket.destroy()
  })
  return server
}

/**
 * Whether a part of a request has come, and no whole one. Before the first byte, a browser that opens
 * connections in advance would take the answer for that of its next request; behind a whole request, its own
 * is still to come.
 */
function isHalfway(socket: Duplex, connections: Connections): boolean {
  return socket instanceof Socket && socket.bytesRead > 0 && connections.isSilent(socket)
}

function faultOf(error: NodeJS.ErrnoException): RequestFault {
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too_slow' : 'malformed'
}
