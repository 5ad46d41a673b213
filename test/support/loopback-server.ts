import { createServer, type RequestListener } from 'node:http'

/** An HTTP server on 127.0.0.1, for as long as a test needs it. */
export interface LoopbackServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly port: number
  /** Answers with this from now on. To be called at once: before it, requests wait in vain. */
  serve(listener: RequestListener): void
  /** Stops listening and ends every connection, answered or not. Safe to repeat. */
  close(): Promise<void>
}

/** Listens on `port`; 0 is any free one. */
export async function listenOnLoopback(port = 0): Promise<LoopbackServer> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    serve: (listener) => void server.on('request', listener),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
