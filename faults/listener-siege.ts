import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { HostileRequest } from './listener-requests.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** What came back on one connection. */
export interface Reply {
  /** `left open`: nothing more had come for ten seconds. */
  readonly end: 'closed' | 'left open' | 'not accepted'
  /** All bytes, one character each. */
  readonly text: string
}

/** Milliseconds; twice what the listener gives to a request that does not come. */
const PATIENCE = 10_000
/** Milliseconds between two bytes of a slow request. */
const SLOWNESS = 200

/** This port on 127.0.0.1 and, where the machine has it, ::1. */
export function loopbackAddresses(port: number): Address[] {
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address))
  return ['127.0.0.1', ...(own.includes('::1') ? ['::1'] : [])].map((host) => ({ host, port }))
}

/** Sends a request on a connection of its own, and reads until that is closed. */
export function send({ host, port }: Address, { bytes, ending }: HostileRequest): Promise<Reply> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true })
    let end: Reply['end'] = 'not accepted'
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => (text += part))
    socket.once('connect', () => (end = 'closed'))
    // A reset is one of the ways to refuse.
    socket.on('error', () => undefined)
    socket.setTimeout(PATIENCE, () => {
      end = 'left open'
      socket.destroy()
    })
    socket.once('close', () => resolve({ end, text }))
    socket.write(bytes, () => {
      if (ending === 'reset') socket.resetAndDestroy()
    })
    if (ending === 'close') socket.end()
  })
}

/** Connections that keep a listener busy for as long as it lets them. */
export class Siege {
  readonly #addresses: readonly Address[]
  readonly #sockets = new Set<Socket>()
  readonly #replies: string[] = []
  #over = false

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses
  }

  /** What was answered on them. */
  get replies(): readonly string[] {
    return this.#replies
  }

  /** How many of them the listener has open now, as far as it has said. */
  get open(): number {
    return [...this.#sockets].filter(
      ({ readyState, readableEnded }) => readyState === 'open' && !readableEnded,
    ).length
  }

  /** Opens so many connections that say nothing, and do not close when they are told to. */
  async idle(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, at) => settled(this.#open(at))))
  }

  /**
   * Sends so many requests byte by byte, without an end, and each one again when it was refused. `true`: each was
   * refused once within ten seconds.
   */
  async slow(count: number, beginning: string): Promise<boolean> {
    const refused = Promise.all(Array.from({ length: count }, (_, at) => this.#drip(at, beginning)))
    const late = new AbortController()
    const deadline = setTimeout(PATIENCE, false, { ref: false, signal: late.signal })
    const found = await Promise.race([refused.then(() => true), deadline])
    deadline.catch(() => undefined)
    late.abort()
    return found
  }

  close(): void {
    this.#over = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(at: number): Socket {
    const address = this.#addresses[at % this.#addresses.length]
    const socket = connect({ host: '127.0.0.1', port: 0, ...address, allowHalfOpen: true })
    this.#sockets.add(socket)
    socket.setEncoding('latin1').on('data', (text: string) => this.#replies.push(text))
    // Reset, or not let in any more.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** Resolves at its first end. */
  #drip(at: number, beginning: string): Promise<void> {
    const socket = this.#open(at)
    let sent = 0
    const timer = setInterval(() => {
      if (socket.readableEnded) socket.destroy()
      else socket.write(beginning[sent++] ?? 'a')
    }, SLOWNESS)
    let connected = false
    socket.once('connect', () => (connected = true))
    return new Promise((resolve) => {
      socket.once('close', () => {
        clearInterval(timer)
        resolve()
        // Where nobody listens any more, there is nothing to slow down.
        if (connected && !this.#over) void this.#drip(at, beginning)
      })
    })
  }
}

function settled(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
}
