import type { LoggedOut } from '../core/log-out.ts'
import type { LogoutReport } from '../core/logout-report.ts'

/** The contract's `logout --json`. */
export function logoutJson(profile: string, { removed, revocation, apiKeyRemains }: LoggedOut): LogoutReport {
  const revoked = revocation?.kind === 'revoked' ? true : revocation?.kind === 'unconfirmed' ? false : null
  return {
    schema_version: 1,
    profile,
    state: 'none',
    removed,
    revoked,
    revocation: revocation?.kind ?? null,
    api_key_remains: apiKeyRemains ?? null,
  }
}
