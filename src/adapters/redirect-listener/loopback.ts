import { once } from 'node:events'
import type { Server } from 'node:http'

import { AuthError } from '../../errors.ts'

/** One server per loopback family, all on the same port. */
interface LoopbackServers {
  readonly port: number
  readonly servers: readonly Server[]
}

/** A port that was tried, and the system's code for why it could not be had. */
interface RefusedPort {
  readonly port: number
  readonly code: string
}

/** How often another free port is drawn when the first family's is taken on the second. */
const draws = 16

/**
 * Listens on 127.0.0.1 and, where the machine has it, ::1, on the first of these ports that is free on both:
 * a browser may take `localhost` for either, and whoever held the other would be sent the authorization code.
 * `0` is any free port.
 * @throws {AuthError} `no_redirect_port`
 */
export async function listenOnLoopback(
  ports: readonly number[],
  createServer: () => Server,
): Promise<LoopbackServers> {
  const refused: RefusedPort[] = []
  for (const port of ports.flatMap((each) => (each === 0 ? Array<number>(draws).fill(0) : [each]))) {
    const servers: Server[] = []
    try {
      return await listenOn(port, servers, createServer)
    } catch (error) {
      await Promise.all(servers.map(stop))
      if (!isListenError(error)) throw error
      refused.push({ port, code: error.code })
    }
  }
  throw noRedirectPort(refused)
}

/** Stops listening, ends every connection, and waits until the port is free. */
export async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** The failure when no port was left to try. */
export function noRedirectPort(refused: readonly RefusedPort[]): AuthError {
  const reasons = new Map(refused.map(({ port, code }) => [port, describe(port, code)]))
  return new AuthError(
    'no_redirect_port',
    `cannot listen for the redirect on this machine: ${[...reasons.values()].join(', ')}`,
    {
      nextStep:
        'finish the other sign-in or close the program that has the port, or choose a port with --port',
    },
  )
}

function describe(port: number, code: string): string {
  const name = port === 0 ? 'any free port' : `port ${port}`
  if (code === 'EADDRINUSE') return `${name} is in use`
  return code === 'EACCES' ? `${name} is not permitted (EACCES)` : `${name} failed (${code})`
}

async function listenOn(
  port: number,
  servers: Server[],
  createServer: () => Server,
): Promise<LoopbackServers> {
  const first = createServer()
  await listen(first, '127.0.0.1', port)
  servers.push(first)
  const actual = portOf(first)
  const second = createServer()
  try {
    await listen(second, '::1', actual)
    servers.push(second)
  } catch (error) {
    if (!isListenError(error) || !['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code)) throw error
  }
  return { port: actual, servers }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const listening = once(server, 'listening')
  // From here on, an error is a connection that could not be accepted; whoever made it tries again.
  server.on('error', () => {})
  server.listen({ host, port, exclusive: true })
  await listening
}

function isListenError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error
}
