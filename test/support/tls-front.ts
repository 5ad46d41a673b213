import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Identity } from './certificates.ts'

/** Speaks TLS for a plain server on this machine, until the end of the test. Its port. */
export async function startTlsFront(origin: string, identity: Identity): Promise<number> {
  const sockets = new Set<Duplex>()
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('error', () => undefined).on('close', () => to.end())
    from.pipe(to)
    // Nobody reads on there: without it, the end of `from` would not be noticed.
    to.on('close', () => from.resume())
  }
  // With the usual roots at hand, it would send those that look like its issuer.
  const server = createServer({ ...identity, ca: identity.cert }, (client) => {
    const plain = connect(Number(new URL(origin).port), '127.0.0.1')
    join(client, plain)
    join(plain, client)
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}
