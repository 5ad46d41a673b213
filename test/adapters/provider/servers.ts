import { createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { listenOnLoopback, type LoopbackServer } from '../../support/loopback-server.ts'
import type { RequestListener } from 'node:http'

/** An HTTP server until the end of the test. */
export async function serve(listener: RequestListener): Promise<LoopbackServer> {
  const server = await listenOnLoopback()
  server.serve(listener)
  onTestFinished(() => server.close())
  return server
}

/** A TCP server until the end of the test; its host, such as `127.0.0.1:1234`. */
export async function serveBytes(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return listening(server)
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `127.0.0.1:${address.port}`
}

/** Calls back with every request that is complete, which here ends with the body `end`. */
export function onRequest(socket: Socket, answer: (request: string) => void): void {
  let request = ''
  socket.on('data', (bytes) => {
    request += bytes.toString()
    if (request.endsWith('end')) answer(request)
  })
}
