import { AuthError } from '../errors.ts'
import type { Listening, ListenOptions, RedirectListener, SignIns } from './ports.ts'

/** Milliseconds in which a sign-in that is taken over has ended and freed its port, on a busy machine too. */
const PATIENCE = 3000
const PAUSE = 50

interface TakeOverPorts {
  readonly listener: RedirectListener
  readonly signIns: SignIns
}

/**
 * Listens for the redirect. A sign-in of our own that is waiting for the same profile, or on a port that is needed, ends:
 * whoever starts a second one has given up the first.
 * @throws {AuthError} `no_redirect_port` when a port is held by anybody else.
 */
export async function listenOrTakeOver(
  request: ListenOptions & { readonly profile: string },
  { listener, signIns }: TakeOverPorts,
): Promise<Listening> {
  let isEnding = signIns.takeOver((signIn) => signIn.profile === request.profile)
  const end = performance.now() + PATIENCE
  for (;;) {
    try {
      return await listener.listen(request)
    } catch (error) {
      if (!isPortFault(error) || performance.now() >= end) throw error
      // Whoever was asked may have ended since the port was tried: it is tried once more before anybody else is asked.
      const wasEnding = isEnding
      isEnding = signIns.takeOver(() => false) || (!wasEnding && endOne(request.ports, signIns))
      if (!wasEnding && !isEnding) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}

function isPortFault(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'no_redirect_port'
}

/** One port is enough: whoever waits on another goes on. */
function endOne(ports: readonly number[], signIns: SignIns): boolean {
  return ports.some((port) => signIns.takeOver((signIn) => signIn.port === port))
}
