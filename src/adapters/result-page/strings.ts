import type { SignInFailure } from '../../core/ports.ts'

/** Why a request was not taken for the redirect. */
export type RequestFault =
  | 'wrong_state'
  | 'already_answered'
  | 'repeated_parameter'
  | 'not_found'
  | 'method_not_allowed'
  | 'wrong_host'
  | 'body'
  | 'address_too_long'
  | 'headers_too_large'
  | 'too_slow'
  | 'malformed'

/** Everything the pages say, in one language. Each string is HTML as it stands. */
export interface Strings {
  /** A BCP 47 language tag. */
  readonly language: string
  readonly signedIn: string
  readonly failed: string
  readonly notUsed: string
  readonly account: string
  readonly plan: string
  readonly profile: string
  readonly provider: string
  readonly nextStep: string
  readonly closeTab: string
  /** Stands before what the program itself says, which is English; there, nothing has to. */
  readonly reasons?: Readonly<Record<SignInFailure, string>>
  readonly faults: Readonly<Record<RequestFault, string>>
}
