import type { Credential } from '../../src/core/credential.ts'
import type { Home } from './fake-surroundings.ts'

/** The program's own form for times. */
export function timestamp(seconds: number | undefined): string {
  return new Date((seconds ?? Number.NaN) * 1000).toISOString().replace('.000Z', 'Z')
}

/** All of `status --json` for a login of the fake issuer that lives, but for these fields. */
export function statusOf(home: Home, credential: Credential, now: number, changes: object = {}): object {
  return {
    schema_version: 1,
    profile: 'default',
    state: 'valid',
    usable: true,
    exit_code: 0,
    method: 'chatgpt',
    provider: 'openai',
    issuer: credential.issuer,
    client_id: 'app_EMoamEEZ73f0CkXaXp7hrann',
    account: { email: 'alice@example.com', id: 'account-1', user_id: 'user-1', plan: 'plus' },
    expires_at: timestamp(credential.expiresAt),
    expires_in: (credential.expiresAt ?? Number.NaN) - now,
    expiring: false,
    refreshable: true,
    obtained_at: timestamp(credential.obtainedAt),
    refreshed_at: null,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    store: { path: home.credentialFile(), key_source: 'file' },
    source: 'store',
    reason: null,
    message: null,
    next_step: null,
    clock_skew: 0,
    login_in_progress: null,
    minted_api_key: false,
    verification: null,
    usage: null,
    ...changes,
  }
}

/** All of `status --json` for a profile without a login that can be read, but for these fields. */
export function statusWithoutLogin(home: Home, changes: object): object {
  return {
    schema_version: 1,
    profile: 'default',
    state: 'none',
    usable: false,
    exit_code: 4,
    method: null,
    provider: null,
    issuer: null,
    client_id: null,
    account: null,
    expires_at: null,
    expires_in: null,
    expiring: null,
    refreshable: null,
    obtained_at: null,
    refreshed_at: null,
    scopes: null,
    store: { path: home.credentialFile(), key_source: 'file' },
    source: 'store',
    reason: null,
    message: 'Nobody is signed in to the profile "default".',
    next_step: 'codex-auth login',
    clock_skew: null,
    login_in_progress: null,
    minted_api_key: null,
    verification: null,
    usage: null,
    ...changes,
  }
}

export interface Failure {
  readonly code: string
  readonly exit_code: number
  readonly message: string
  readonly next_step: string
}

/** How the program ends with `--json` when it fails: in words, and as an object. */
export function failed({ code, exit_code, message, next_step }: Failure) {
  const error = { code, exit_code, message, next_step }
  return {
    exitCode: exit_code,
    stdout: `${JSON.stringify({ schema_version: 1, error })}\n`,
    stderr: `codex-auth: ${message}\n  Next: ${next_step}\n`,
  }
}

/** The same without `--json`. */
export function failedInWords(failure: Omit<Failure, 'code'>) {
  return { ...failed({ code: '', ...failure }), stdout: '' }
}

/** Who has a port is said only where the system tells it in time. */
export function withoutOwners(text: string): string {
  return text.replaceAll(/ by [^,()]+ \(pid \d+\)/g, '')
}
