import { request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOnLoopback } from '../test/support/loopback-server.ts'

/** Does something to a request, or to its connection, that no issuer does. */
export type Mischief = (request: IncomingMessage, response: ServerResponse, issuer: string) => void

/** A server in front of an issuer, as a proxy is. */
export interface Front {
  /** The address to ask instead of the issuer's. */
  readonly origin: string
  /** Requests that came, whatever was done to them. */
  readonly requests: number
  close(): Promise<void>
}

/** Plays its mischief on the first request, and hands all others on. */
export async function startFront(issuer: string, mischief: Mischief): Promise<Front> {
  const server = await listenOnLoopback()
  let requests = 0
  server.serve((request, response) => {
    requests += 1
    if (requests === 1) mischief(request, response, issuer)
    else handOn(issuer, request, response)
  })
  return {
    origin: server.origin,
    get requests() {
      return requests
    },
    close: server.close,
  }
}

/** As a proxy that dies before it has passed the answer back. */
export const passOnAndDrop: Mischief = (request, response, issuer) => {
  forward(issuer, request, (answer) => answer.resume().on('end', () => response.socket?.resetAndDestroy()))
}

/** Neither packed nor an object, whatever its header says. */
export const falseGzip: Mischief = (request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('[]')
}

/** As a proxy that passes the whole answer back, and ends the connection in place of the answer's end. */
export const passOnWithoutEnd: Mischief = (request, response, issuer) => {
  forward(issuer, request, (answer) => {
    response.writeHead(answer.statusCode ?? 502, { 'transfer-encoding': 'chunked' })
    answer.pipe(response, { end: false })
    answer.once('end', () => response.socket?.end())
  })
}

/** As a proxy that has unpacked the answer, and says that it is packed. */
export const passOnAsPacked: Mischief = (request, response, issuer) => {
  forward(issuer, request, (answer) => {
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'content-encoding': 'gzip' })
    answer.pipe(response)
  })
}

function handOn(issuer: string, request: IncomingMessage, response: ServerResponse): void {
  forward(issuer, request, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
}

function forward(
  issuer: string,
  request: IncomingMessage,
  answered: (answer: IncomingMessage) => void,
): void {
  const { method, headers, url = '/' } = request
  request.pipe(send(`${issuer}${url}`, { ...(method !== undefined && { method }), headers }, answered))
}
