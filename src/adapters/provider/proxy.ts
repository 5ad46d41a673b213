import { isLoopback } from '../../core/safe-address.ts'
import { trace } from '../trace.ts'
import { PassingFault } from './passing-fault.ts'
import { PLAIN_PROXY_VARIABLES, PROXY_VARIABLES, type Environment } from './network-variables.ts'
import { portOf } from './port-of.ts'
import { isException } from './proxy-exceptions.ts'

/** A server that connects us to others. */
export interface ProxyServer {
  /** Its scheme, host and port only. */
  readonly address: URL
  /** For messages: host and port. */
  readonly host: string
  /** `Proxy-Authorization` (RFC 9110, section 11.7.1): a secret. `undefined`: the address names no user. */
  readonly authorization: string | undefined
  /** What named it, such as `HTTPS_PROXY`. */
  readonly variable: string
  /** The one thing to do when it is not reached, where more is known than that. */
  readonly nextStep: string | undefined
}

/**
 * The proxy that the environment names for this address; `undefined`: it is reached without one. An empty variable is as
 * good as none. Plain http is for loopback addresses, and must not leave this machine: any proxy but one on a loopback
 * address is passed over.
 * @throws {AuthError} `usage` for what is no address of an http or https proxy; the address itself is not repeated.
 */
export function proxyFor(url: URL, env: Environment): ProxyServer | undefined {
  const isPlain = url.protocol === 'http:'
  const variable = (isPlain ? PLAIN_PROXY_VARIABLES : PROXY_VARIABLES).find((name) => env[name])
  const address = variable === undefined ? undefined : env[variable]
  if (variable === undefined || address === undefined || isException(url, env)) return undefined
  return isPlain ? nearProxy(address.trim(), variable) : parseProxy(address.trim(), variable)
}

function nearProxy(text: string, variable: string): ProxyServer | undefined {
  try {
    const proxy = parseProxy(text, variable)
    if (isLoopback(proxy.address.hostname)) return proxy
  } catch (error) {
    if (!(error instanceof PassingFault)) throw error
  }
  trace(() => `${variable} names no proxy on this machine, and plain http goes to no other`)
  return undefined
}

function parseProxy(text: string, variable: string): ProxyServer {
  const [, scheme = 'http'] = /^([a-z][a-z\d+.-]*):\/\//i.exec(text) ?? []
  if (/^socks/i.test(scheme)) throw socksProxy(variable)
  const url = parseAddress(text.includes('://') ? text : `http://${text}`)
  const authorization = url && basicAuthorization(url)
  if (url === undefined || authorization === null) throw malformed(variable)
  const address = new URL(url.origin)
  const nextStep = url.protocol === 'https:' ? spokenTo(variable) : undefined
  return { address, host: `${url.hostname}:${portOf(url)}`, authorization, variable, nextStep }
}

/** Many take the scheme for that of the addresses that are asked for. */
function spokenTo(variable: string): string {
  return `check the proxy in ${variable}: with https:// it is spoken to in TLS, and most are named with http://`
}

/**
 * Anything after the port is refused: it is the rest of a password with a `/`, `?` or `#` in it, whose beginning the URL
 * parser takes for the host, and the host is shown in messages.
 */
function parseAddress(text: string): URL | undefined {
  if (/\s/.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  return url.pathname === '/' && !/[?#]/.test(text) ? url : undefined
}

/** RFC 7617. `undefined`: there is no user; `null`: user or password cannot be decoded. */
function basicAuthorization({ username, password }: URL): string | undefined | null {
  if (username === '' && password === '') return undefined
  try {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return `Basic ${Buffer.from(user).toString('base64')}`
  } catch {
    return null
  }
}

function socksProxy(variable: string): PassingFault {
  return new PassingFault('network', `${variable} names a SOCKS proxy, which is not supported.`, {
    nextStep: `name an http:// or https:// proxy in ${variable}, or unset it`,
  })
}

function malformed(variable: string): PassingFault {
  return new PassingFault('network', `${variable} is not the address of a proxy.`, {
    nextStep: `write it as http://user:password@host:port, with %23 for # and so on in user and password`,
  })
}
