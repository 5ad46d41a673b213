import type { AgentOptions } from 'node:https'
import {
  AUTHORITY_VARIABLES,
  PLAIN_PROXY_VARIABLES,
  PROXY_VARIABLES,
  type Environment,
} from './network-variables.ts'
import type { Way } from './transport-fault.ts'

/** The way of one request to its server. */
export interface Route extends Way {
  /**
   * Goes as far as it can without the server's help. The socket, where there is one, leads to the server and is the
   * caller's to destroy.
   * @throws {PassingFault} when the proxy does not play its part, and when the signal is aborted first.
   */
  connect(signal: AbortSignal): Promise<AgentOptions>
}

/**
 * The way that the environment describes. Where it says nothing of proxies and certificates, nothing that deals with them
 * is loaded.
 * @param allRoots those of the system as well, for a server that those of Node.js do not vouch for.
 * @throws {AuthError} `usage` for a proxy that cannot be used; `network` for a file of certificates that cannot.
 */
export async function routeTo(url: URL, env: Environment, allRoots: boolean): Promise<Route> {
  const { host } = url
  const isPlain = url.protocol === 'http:'
  const named = (variables: readonly string[]): boolean => variables.some((name) => env[name])
  const isProxied = named(isPlain ? PLAIN_PROXY_VARIABLES : PROXY_VARIABLES)
  const proxy = isProxied ? (await import('./proxy.ts')).proxyFor(url, env) : undefined
  if (isPlain && proxy === undefined) return { host, connect: async () => ({}) }
  const { secureContext } = allRoots || named(AUTHORITY_VARIABLES) ? await import('./certificates.ts') : {}
  const options: AgentOptions = { secureContext: secureContext?.(env, allRoots) }
  if (proxy === undefined) {
    return { host, nextStep: isProxied ? undefined : proxyHint(env), connect: async () => options }
  }
  const { openTunnel } = await import('./tunnel.ts')
  return {
    host: `${host} (through the proxy ${proxy.host})`,
    nextStep: proxy.nextStep,
    connect: async (signal) => ({ ...options, socket: await openTunnel(url, proxy, options, env, signal) }),
  }
}

/** Some take the proxy for plain http for that of everything, as a few programs do. */
function proxyHint(env: Environment): string | undefined {
  const variable = PLAIN_PROXY_VARIABLES.find((name) => env[name])
  return (
    variable && `if this network needs a proxy, name it in HTTPS_PROXY: ${variable} is for plain http only`
  )
}
