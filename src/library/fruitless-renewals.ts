/** Milliseconds. One renewal a minute is no burden, and soon enough to notice that a server has come to its senses. */
const PAUSE = 60_000

/**
 * A server can refuse a token for a cause that no renewal mends, such as an account that has no right to ask. Without a
 * pause, every request to it would spend a refresh token, and every other process would get a new access token for nothing.
 */
export class FruitlessRenewals {
  #last: { readonly token: string; readonly until: number } | undefined

  /** This token was refused although it had taken the place of a refused one. */
  add(token: string): void {
    this.#last = { token, until: performance.now() + PAUSE }
  }

  /** Whether it is too early to renew this token because it was refused. */
  includes(token: string): boolean {
    return this.#last?.token === token && performance.now() < this.#last.until
  }
}
