import type { Listening, ListenOptions, RedirectListener } from '../core/ports.ts'
import { Connections } from './redirect-listener/connections.ts'
import { listenOnLoopback, stop } from './redirect-listener/loopback.ts'
import { callbackPath, Routes } from './redirect-listener/routes.ts'
import { createCallbackServer } from './redirect-listener/server.ts'

/** Times are in milliseconds. */
export interface RedirectListenerOptions {
  /** How long a connection may take to send its request; 5 s. */
  readonly headerTimeout?: number
  /** How long the browser has to fetch the result page before `answer` resolves without it; 700. */
  readonly pageTimeout?: number
  /** How many connections may be open at a time; 100. Above it, those silent longest are ended. */
  readonly connectionLimit?: number
}

/**
 * The loopback server of RFC 8252, section 7.3. A wait ends for nothing but the exact state: no other
 * request, connection or local program can cancel or finish a sign-in.
 */
export function redirectListener(options: RedirectListenerOptions = {}): RedirectListener {
  const { headerTimeout = 5_000, pageTimeout = 700, connectionLimit = 100 } = options
  return {
    async listen({ ports, redirectHost, listen }: ListenOptions): Promise<Listening> {
      const connections = new Connections(connectionLimit)
      const routes = new Routes(pageTimeout)
      const { port, servers } = await listenOnLoopback(ports, listen, () =>
        createCallbackServer(routes, connections, headerTimeout),
      )
      let closed: Promise<unknown> | undefined
      return {
        port,
        redirectUri: `http://${redirectHost}:${port}${callbackPath}`,
        redirect: (state, signal) => routes.redirect(state, signal),
        async close() {
          routes.end()
          await (closed ??= Promise.all(servers.map(stop)))
        },
      }
    },
  }
}
