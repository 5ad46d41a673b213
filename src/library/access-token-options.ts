import type { CallOptions } from './call.ts'

export interface AccessTokenOptions extends CallOptions {
  /**
   * Seconds that the token should still live; it is renewed when it lives shorter. Where that does not help, the token is handed
   * out all the same, and `onWarning` hears of it. Unless given, one that lives less than five minutes is renewed.
   */
  readonly minTtl?: number | undefined
  /** `false`: never ask the provider. */
  readonly refresh?: boolean | undefined
  /** An access token that a server has refused just now. It is not handed out again: a later one is, renewed if need be. */
  readonly refused?: string | undefined
  /**
   * Ends every wait, and rejects with its reason. It does not cut in two the time between a sent refresh token and the saved
   * answer: the last caller who waits for that hears of the abort when it is over.
   */
  readonly signal?: AbortSignal | undefined
  /** One sentence for a person: the token is handed out although something did not work. */
  onWarning?(message: string): void
}
