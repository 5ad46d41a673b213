import type { Socket } from 'node:net'

/**
 * The open connections of a listener. Above the limit, the one that has been silent longest is ended: whoever
 * opens hundreds and says nothing cannot keep out a browser, which sends its request within milliseconds.
 */
export class Connections {
  readonly #limit: number
  readonly #open = new Set<Socket>()
  /** Those without a request so far, oldest first. */
  readonly #silent = new Set<Socket>()

  constructor(limit: number) {
    this.#limit = limit
  }

  add(socket: Socket): void {
    this.#open.add(socket)
    this.#silent.add(socket)
    socket.once('close', () => this.#forget(socket))
    if (this.#open.size > this.#limit) this.#endOldest()
  }

  /** A whole request has come in on this connection, so it is not ended before its answer. */
  requested(socket: Socket): void {
    this.#silent.delete(socket)
  }

  isSilent(socket: Socket): boolean {
    return this.#silent.has(socket)
  }

  #endOldest(): void {
    const [oldest] = this.#silent
    if (oldest === undefined) return
    oldest.destroy()
    this.#forget(oldest)
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket)
    this.#silent.delete(socket)
  }
}
