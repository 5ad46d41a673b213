import type { Revocation } from './revocation.ts'

/** What `codex-auth logout --json` prints. */
export interface LogoutReport {
  /** The version of this shape. */
  readonly schema_version: 1
  readonly profile: string
  /** What `status` says from now on. */
  readonly state: 'none'
  /** `false`: nobody was signed in. */
  readonly removed: boolean
  /** `false`: the provider did not confirm it. `null`: there was nothing to revoke, or the provider was not asked. */
  readonly revoked: boolean | null
  /** The same in detail. `null`: the provider was not asked. */
  readonly revocation: Revocation['kind'] | null
  /** An API key came with this login and still works. `null`: what was stored could not be read. */
  readonly api_key_remains: boolean | null
}
