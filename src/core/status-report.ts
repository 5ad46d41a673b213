import type { Method, ProviderName } from './credential.ts'
import type { SignInProgress, StoreDescription } from './ports.ts'
import type { Reason, State, Status } from './status.ts'
import type { UsageReport } from './usage-report.ts'

/** What `codex-auth status --json` prints. Fields are added, never changed; what is not known is `null`, never absent. */
export interface StatusReport {
  /** The version of this shape. */
  readonly schema_version: 1
  readonly profile: string
  /**
   * `none`: nobody is signed in. `valid`: the access token works. `expired`: the next call for a token renews it. `dead`: the
   * provider will not renew it. `unreadable`: something is stored and cannot be read. `unknown`: the provider was asked, and
   * did not say. `locked`: the key is not available, a state that no key source has today.
   */
  readonly state: State | 'locked'
  /** An access token can be had. `null`: nobody knows. */
  readonly usable: boolean | null
  /** What `codex-auth status` ends with; 0 where all is well. */
  readonly exit_code: number
  /** How the login came to be. */
  readonly method: Method | null
  readonly provider: ProviderName | null
  readonly issuer: string | null
  readonly client_id: string | null
  /** `null`: nothing readable is stored. */
  readonly account: AccountReport | null
  /** When the access token ends: RFC 3339, in UTC. */
  readonly expires_at: string | null
  /** Seconds until then, negative once it has ended. */
  readonly expires_in: number | null
  /** It lives less than five minutes. */
  readonly expiring: boolean | null
  /** The access token can be renewed without a person. */
  readonly refreshable: boolean | null
  /** When somebody signed in: RFC 3339, in UTC. */
  readonly obtained_at: string | null
  /** The last renewal: RFC 3339, in UTC. */
  readonly refreshed_at: string | null
  readonly scopes: readonly string[] | null
  /** Where the credential rests. `null`: it comes from the environment. */
  readonly store: { readonly path: string; readonly key_source: StoreDescription['keySource'] } | null
  /** `environment`: `CODEX_AUTH_TOKEN`, which wins over the store. */
  readonly source: Status['source']
  /** Why it cannot be used: the provider's refusal, or the code of an error. */
  readonly reason: Reason | null
  /** The same in words for a person, who can act on `next_step`. */
  readonly message: string | null
  readonly next_step: string | null
  /** Seconds by which the provider's clock is ahead of this machine's. */
  readonly clock_skew: number | null
  /** A sign-in that waits for its person. `null`: there is none. */
  readonly login_in_progress: SignInReport | null
  /** An API key came with this login. */
  readonly minted_api_key: boolean | null
  /** What the provider says of the access token. `null`: it was not asked. */
  readonly verification: 'valid' | 'refused' | 'unknown' | null
  /** `null`: it was not asked for, or the provider does not tell. */
  readonly usage: UsageReport | null
}

/** Whose login it is, as the provider says. */
export interface AccountReport {
  readonly email: string | null
  /** At OpenAI, the id of the workspace. */
  readonly id: string | null
  readonly user_id: string | null
  readonly plan: string | null
}

export interface SignInReport {
  readonly pid: number
  /** RFC 3339, in UTC. */
  readonly since: string | null
  readonly method: SignInProgress['method']
}
