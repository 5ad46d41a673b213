import type { ClientRequest } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { PassingFault } from './passing-fault.ts'
import type { Environment } from './network-variables.ts'
import { isFlawed, transportFault, type Way } from './transport-fault.ts'

/** As {@link transportFault}; where a certificate was not trusted, it says by which authorities. */
export async function connectionFault(
  error: unknown,
  outgoing: ClientRequest | undefined,
  way: Way,
  connected: boolean,
  env: Environment,
): Promise<PassingFault> {
  const fault = transportFault(error, way, connected)
  const socket = outgoing?.socket
  const untrusted = socket instanceof TLSSocket && Boolean(socket.authorizationError)
  return untrusted && !isFlawed(fault)
    ? (await import('./certificates.ts')).untrustedFault(fault, way.host, env)
    : fault
}
