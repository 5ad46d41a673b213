import { exitCode, exitName } from '../core/exit-code.ts'
import { EXPIRING, remaining } from '../core/lifetime.ts'
import type { Status } from '../core/status.ts'
import type { AccountReport, SignInReport, StatusReport } from '../core/status-report.ts'
import type { Account } from '../core/credential.ts'
import { timestamp } from './output.ts'
import { usageJson } from './usage-report.ts'

export function statusExitCode({ problem }: Status): number {
  return problem === undefined ? 0 : exitCode(exitName(problem.code))
}

/** The contract's `status --json`. What is not known is `null`, never absent. */
export function statusJson(status: Status): StatusReport {
  const { credential, problem, state } = status
  const left = credential && remaining(credential, status.at)
  return {
    schema_version: 1,
    profile: status.profile,
    state,
    usable: state === 'unknown' ? null : state === 'valid' || state === 'expired',
    exit_code: statusExitCode(status),
    method: credential?.method ?? null,
    provider: credential?.provider ?? null,
    issuer: credential?.issuer ?? null,
    client_id: credential?.clientId || null,
    account: credential ? accountJson(credential.account) : null,
    expires_at: timestamp(credential?.expiresAt),
    expires_in: left === undefined ? null : Math.floor(left),
    expiring: left === undefined ? null : left < EXPIRING,
    refreshable: credential
      ? credential.refreshToken !== undefined && credential.refusal === undefined
      : null,
    obtained_at: status.source === 'store' ? timestamp(credential?.obtainedAt) : null,
    refreshed_at: timestamp(credential?.refreshedAt),
    scopes: credential?.scopes ?? null,
    store: status.store ? { path: status.store.path, key_source: status.store.keySource } : null,
    source: status.source,
    reason: status.reason ?? null,
    message: problem?.message ?? null,
    next_step: status.nextStep ?? null,
    clock_skew: credential?.clockSkew ?? null,
    login_in_progress: progressJson(status),
    minted_api_key: credential ? credential.mintedApiKey !== undefined : null,
    verification: status.verification ?? null,
    usage: typeof status.usage === 'object' ? usageJson(status.usage, status.at) : null,
  }
}

function progressJson({ signIn }: Status): SignInReport | null {
  return signIn ? { pid: signIn.pid, since: timestamp(signIn.since), method: signIn.method } : null
}

export function accountJson(account: Account): AccountReport {
  return {
    email: account.email ?? null,
    id: account.id ?? null,
    user_id: account.userId ?? null,
    plan: account.plan ?? null,
  }
}
