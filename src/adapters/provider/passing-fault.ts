import { AuthError, type AuthErrorOptions, type ErrorCode } from '../../errors.ts'

type PassingCode = Extract<
  ErrorCode,
  'network' | 'timeout' | 'rate_limited' | 'provider_failed' | 'invalid_answer'
>

export interface PassingFaultOptions extends AuthErrorOptions {
  readonly mayRetry?: boolean
  readonly retryAfter?: number | undefined
}

/** A fault of the provider, or of the way to it, that says nothing about the credential. */
export class PassingFault extends AuthError {
  declare readonly code: PassingCode
  /**
   * Sending the same request again cannot spend anything twice: it never reached the server, or the server put it
   * off (429, 503). `false` as soon as the server may have acted on it.
   */
  readonly mayRetry: boolean
  /** Seconds the server asks to wait (RFC 9110, section 10.2.3). `undefined`: it does not say. */
  readonly retryAfter: number | undefined

  constructor(code: PassingCode, message: string, options: PassingFaultOptions = {}) {
    super(code, message, options)
    this.mayRetry = options.mayRetry ?? false
    this.retryAfter = options.retryAfter
  }
}
