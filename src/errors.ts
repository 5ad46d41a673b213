/**
 * Every failure that a caller can meet and act on. Branch on these, never on messages.
 * The exit code and the next step of each are in `cli.ts`.
 */
export type ErrorCode =
  // The call was wrong.
  | 'usage'
  | 'settings_corrupt'
  // It works, but not for as long as was asked.
  | 'short_lived'
  // A person has to sign in.
  | 'not_logged_in'
  | 'not_refreshable'
  | 'refresh_refused'
  | 'token_refused'
  | 'no_api_key'
  // The provider could not be asked; nothing stored has changed.
  | 'network'
  | 'timeout'
  | 'rate_limited'
  | 'provider_failed'
  | 'invalid_answer'
  | 'not_verifiable'
  // Something is stored and cannot be read; it is kept.
  | 'store_corrupt'
  | 'store_newer'
  | 'store_insecure'
  | 'store_rolled_back'
  | 'foreign_machine'
  | 'key_missing'
  | 'key_mismatch'
  | 'codex_unreadable'
  // The store cannot be written now.
  | 'store_busy'
  | 'store_unwritable'
  // The sign-in did not finish.
  | 'login_denied'
  | 'login_failed'
  | 'login_timeout'
  | 'no_redirect_port'
  | 'wrong_account'
  | 'taken_over'
  // A person is needed and none is there.
  | 'interaction_required'
  // The command that was to be run.
  | 'command_not_executable'
  | 'command_not_found'
  // A signal asked us to stop.
  | 'interrupted'
  | 'terminated'

export interface AuthErrorOptions {
  /** The underlying fault. It must carry no token, code, verifier, key or response body. */
  readonly cause?: unknown
  /** The one thing to do about it, where this place knows better than the general table. */
  readonly nextStep?: string
}

/** A failure with a closed code. `message` is for people, carries no secret, and may change. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: ErrorCode
  readonly nextStep: string | undefined

  constructor(code: ErrorCode, message: string, options: AuthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.nextStep = options.nextStep
  }
}
