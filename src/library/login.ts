import type { ProviderName } from '../core/credential.ts'
import type { StatusReport } from '../core/status-report.ts'
import type { CallOptions } from './call.ts'
import { interruptible } from './interruption.ts'
import { openContext, sessionIn } from './session.ts'

export interface LoginOptions extends CallOptions {
  /** `browser`, unless given: a browser that reaches this machine. `device_code`: any browser, with a code to type. */
  readonly method?: 'browser' | 'device_code' | undefined
  /** Unless given: as in the settings, else where the login in this profile came from, else `openai`. */
  readonly provider?: ProviderName | undefined
  /** The provider's address; `oidc` needs it. */
  readonly issuer?: string | undefined
  /** The client registered at the provider; `oidc` needs it. */
  readonly clientId?: string | undefined
  /** Asked for instead of the default ones. */
  readonly scopes?: readonly string[] | undefined
  /** Whether to open the person's browser here. Unless given: where one would be seen, and the settings allow it. */
  readonly openBrowser?: boolean | undefined
  /** Ports for the redirect, tried in this order; 0 is any free one. */
  readonly ports?: readonly number[] | undefined
  /** Seconds until nobody is waited for any more. Unless given: five minutes, or as long as a device code lasts. */
  readonly timeout?: number | undefined
  /** `true`: a login of a different account may be replaced. */
  readonly force?: boolean | undefined
  /** The address or id that the account must have. */
  readonly expectAccount?: string | undefined
  /** The ChatGPT workspace that must be chosen. */
  readonly workspace?: string | undefined
  /** Ends the sign-in, and rejects with its reason. Tokens that are on their way are saved first. */
  readonly signal?: AbortSignal | undefined
  /** The address to sign in at, to be shown to the person. Called once, before a browser is opened. */
  onAddress?(url: string): void
  /** The page to open on any device, and the code to type there. Called once. */
  onCode?(code: DeviceCode): void
  /** One sentence for a person: something did not work, and the sign-in goes on. */
  onWarning?(message: string): void
}

/** What a person needs to sign in on another device. */
export interface DeviceCode {
  readonly verificationUrl: string
  /** The same page with the code filled in. `undefined`: the provider has none. */
  readonly verificationUrlComplete: string | undefined
  readonly userCode: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

/**
 * Signs a person in and saves the login. Resolves with what `status` says of it. The login before stays until this one is saved.
 * @throws {AuthError} `login_denied`, `login_failed`, `login_timeout`, `no_redirect_port`, `wrong_account`, `taken_over`;
 * `interaction_required` where nothing would lead a person to the sign-in; a passing fault of the provider; any fault of the
 * store; `usage`, `settings_corrupt`. Then the login before is untouched.
 * @throws the signal's reason.
 */
export async function login(options: LoginOptions = {}): Promise<StatusReport> {
  return interruptible(options.signal, async (interruption) => {
    const context = await openContext(options, interruption)
    const session = await sessionIn(context, options)
    const [{ signIn }, { status }, { statusJson }] = await Promise.all([
      import('./sign-in.ts'),
      import('../core/status.ts'),
      import('../commands/status-report.ts'),
    ])
    const { previous } = await signIn(options, context, session)
    if (previous?.kind === 'unconfirmed')
      options.onWarning?.(
        `The login before is gone here, but its revocation was not confirmed: ${previous.error.message}`,
      )
    return statusJson(status(session.profile, undefined, { ...session, environment: undefined }))
  })
}
