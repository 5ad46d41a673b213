import { once } from 'node:events'
import type { Server } from 'node:http'

import { AuthError } from '../../errors.ts'
import { portOwner } from '../port-owner.ts'

/** One server per loopback family, all on the same port. */
interface LoopbackServers {
  readonly port: number
  readonly servers: readonly Server[]
}

/** A port that was tried, and the system's code for why it could not be had. */
interface RefusedPort {
  readonly port: number
  readonly code: string
  /** The program that has it, where the system tells. */
  readonly owner?: string | undefined
}

/** How often another free port is drawn when the first family's is taken on the second. */
const draws = 16

/**
 * Listens on 127.0.0.1 and, where the machine has it, ::1, on the first of these ports that is free on both:
 * a browser may take `localhost` for either, and whoever held the other would be sent the authorization code.
 * `0` is any free port. `elsewhere` is an address to listen on as well.
 * @throws {AuthError} `no_redirect_port`; `usage` when this machine has no such address.
 */
export async function listenOnLoopback(
  ports: readonly number[],
  elsewhere: string | undefined,
  createServer: () => Server,
): Promise<LoopbackServers> {
  const refused: RefusedPort[] = []
  for (const port of ports.flatMap((each) => (each === 0 ? Array<number>(draws).fill(0) : [each]))) {
    const servers: Server[] = []
    try {
      return await listenOn(port, elsewhere, servers, createServer)
    } catch (error) {
      await Promise.all(servers.map(stop))
      if (!isListenError(error)) throw error
      refused.push({ port, code: error.code })
    }
  }
  throw noRedirectPort(await Promise.all(refused.map(withOwner)))
}

/** Stops listening, ends every connection, and waits until the port is free. */
export async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

async function withOwner(refused: RefusedPort): Promise<RefusedPort> {
  if (refused.port === 0 || refused.code !== 'EADDRINUSE') return refused
  const owner = await portOwner(refused.port)
  return { ...refused, owner: owner && `${owner.command ?? 'a process'} (pid ${owner.pid})` }
}

/** The failure when no port was left to try. */
export function noRedirectPort(refused: readonly RefusedPort[]): AuthError {
  const reasons = new Map(refused.map((one) => [one.port, describe(one)]))
  return new AuthError(
    'no_redirect_port',
    `Nothing can listen for the redirect on this machine: ${[...reasons.values()].join(', ')}.`,
    {
      nextStep: refused.some(({ code }) => code === 'EADDRINUSE')
        ? 'end the program that has the port, or sign in without one: codex-auth login --device-code'
        : 'sign in without a port: codex-auth login --device-code',
    },
  )
}

function describe({ port, code, owner }: RefusedPort): string {
  const name = port === 0 ? 'any free port' : `port ${port}`
  if (code === 'EADDRINUSE') return `${name} is in use${owner === undefined ? '' : ` by ${owner}`}`
  return code === 'EACCES' ? `${name} is not permitted (EACCES)` : `${name} failed (${code})`
}

async function listenOn(
  port: number,
  elsewhere: string | undefined,
  servers: Server[],
  createServer: () => Server,
): Promise<LoopbackServers> {
  let actual = port
  for (const address of addresses(elsewhere)) {
    const server = createServer()
    try {
      await listen(server, address, actual)
      servers.push(server)
      actual = portOf(server)
    } catch (error) {
      if (!isListenError(error)) throw error
      if (address === elsewhere && NOT_HERE.has(error.code)) throw foreignAddress(address)
      if (address !== '::1' || !WITHOUT_IPV6.has(error.code)) throw error
    }
  }
  return { port: actual, servers }
}

/** `EINVAL`: a link-local address of no interface. */
const NOT_HERE: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL'])

/** It is no port that is missing, so nobody is to make room for it. */
function foreignAddress(address: string): AuthError {
  return new AuthError(
    'usage',
    `${address} is not an address of this machine, so nothing can listen on it.`,
    {
      nextStep: 'write one that it has, or 0.0.0.0 for all: --listen 0.0.0.0',
    },
  )
}

const WITHOUT_IPV6: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/** `0.0.0.0` has 127.0.0.1 in it, and `::` has both families. */
function addresses(elsewhere: string | undefined): readonly string[] {
  if (elsewhere === '::') return ['::']
  if (elsewhere === '0.0.0.0') return ['0.0.0.0', '::1']
  return [...new Set(['127.0.0.1', '::1', elsewhere ?? '127.0.0.1'])]
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
