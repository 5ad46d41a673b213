import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Identity } from './certificates.ts'
import { recordSecret } from './secrets.ts'

export interface ConnectProxyOptions {
  /** It speaks TLS itself, under this name and as this. */
  readonly secure?: { readonly hostname: string; readonly identity: Identity }
}

/** What a proxy answers with when it does not connect. */
interface Refusal {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** A proxy until the end of the test. */
export async function startConnectProxy({ secure }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const server = secure === undefined ? createServer() : createSecureServer(secure.identity)
  const hostname = secure?.hostname ?? '127.0.0.1'
  await once(server.listen(0, hostname === '[::1]' ? '::1' : '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = new ConnectProxy(server, secure === undefined ? 'http' : 'https', `${hostname}:${port}`)
  onTestFinished(async () => {
    proxy.cut()
    await new Promise((resolve) => server.close(resolve))
  })
  return proxy
}

/** It demands a password, and connects to this machine only, which is what names under `.test` are to it as well. */
export class ConnectProxy {
  /** Host and port. */
  readonly host: string
  /** With user and password, as in `HTTPS_PROXY`. */
  readonly address: string
  /** Every request and what it was answered, such as `CONNECT issuer.test:443 200`. */
  readonly answers: string[] = []
  /** Instead of connecting. `silent`: it never answers; `cut`: it hangs up. */
  refusal: Refusal | 'silent' | 'cut' | undefined
  /** The password as it is, and as it goes over the wire. */
  readonly secrets: readonly string[]
  readonly #authorization: string
  readonly #sockets = new Set<Duplex>()
  readonly #clients = new Set<Duplex>()
  readonly #carried: Buffer[] = []

  constructor(server: Server, scheme: string, host: string) {
    // All that has to be encoded in an address.
    const password = `p@:/?#%${randomBytes(18).toString('base64url')}`
    const credentials = Buffer.from(`alice:${password}`).toString('base64')
    this.secrets = [password, encodeURIComponent(password), credentials]
    for (const secret of this.secrets) recordSecret(secret)
    this.host = host
    this.address = `${scheme}://alice:${encodeURIComponent(password)}@${host}`
    this.#authorization = `Basic ${credentials}`
    server.on('connection', (client: Socket) => {
      this.#clients.add(this.#keep(client))
      client.on('close', () => this.#clients.delete(client))
    })
    server.on('connect', (incoming: IncomingMessage, client: Duplex) =>
      this.#answer(incoming, this.#keep(client)),
    )
  }

  /** How many are connected to it now. */
  get clients(): number {
    return this.#clients.size
  }

  /** Whether these bytes went through it, in either direction. */
  carried(text: string): boolean {
    return Buffer.concat(this.#carried).includes(text)
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #answer(incoming: IncomingMessage, client: Duplex): void {
    if (this.refusal === 'silent') return void client.on('end', () => client.end()).resume()
    if (this.refusal === 'cut') return this.cut()
    if (this.refusal !== undefined) return this.#refuse(incoming, client, this.refusal)
    if (incoming.headers['proxy-authorization'] !== this.#authorization) {
      const headers = { 'Proxy-Authenticate': 'Basic realm="corp"' }
      return this.#refuse(incoming, client, { status: 407, headers })
    }
    const { hostname, port } = new URL(`https://${incoming.url}`)
    if (!/\.test$|^127\.0\.0\.1$/.test(hostname)) return this.#refuse(incoming, client, { status: 403 })
    const server = this.#keep(connect(Number(port || 443), '127.0.0.1'))
    const unreachable = (): void => this.#refuse(incoming, client, { status: 502 })
    server.once('error', unreachable)
    server.once('connect', () => {
      server.off('error', unreachable)
      this.#say(incoming, client, { status: 200 })
      this.#carry(client, server)
      this.#carry(server, client)
    })
  }

  #refuse(incoming: IncomingMessage, client: Duplex, refusal: Refusal): void {
    this.#say(incoming, client, refusal)
    client.end()
  }

  #say({ method, url }: IncomingMessage, client: Duplex, { status, headers = {} }: Refusal): void {
    this.answers.push(`${method} ${url} ${status}`)
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    client.write(`HTTP/1.1 ${status} As I say\r\n${fields.join('')}\r\n`)
  }

  #carry(from: Duplex, to: Duplex): void {
    from.on('data', (bytes: Buffer) => this.#carried.push(bytes)).pipe(to)
    from.on('close', () => to.end())
    // Nobody reads on there: without it, the end of `from` would not be noticed.
    to.on('close', () => from.resume())
  }

  #keep<T extends Duplex>(socket: T): T {
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    return socket
  }
}
