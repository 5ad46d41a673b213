import { formatDuration } from '../core/duration.ts'
import { exitCode, exitName } from '../core/exit-code.ts'
import { holderName } from '../core/holder.ts'
import { EXPIRING, remaining } from '../core/lifetime.ts'
import type { Status } from '../core/status.ts'
import type { AccountReport, SignInReport, StatusReport } from '../core/status-report.ts'
import type { Account, Credential } from '../core/credential.ts'
import type { MeterStyle } from './meter.ts'
import { timestamp } from './output.ts'
import { usageJson, usageLines } from './usage-report.ts'

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

/** Whose a credential is, with the plan where it is known. */
export function holderWithPlan(credential: Credential): string {
  const { plan } = credential.account
  return plan === undefined ? holderName(credential) : `${holderName(credential)} (${plan})`
}

/** The report for people, one profile. */
export function statusText(status: Status, style: MeterStyle): string {
  const lines: [string, string][] = [
    ['', headline(status)],
    ...tokenLines(status),
    ...verifiedLines(status),
    ...providerLines(status),
    ...storeLines(status),
    ...useLines(status, style),
    ...problemLines(status),
  ]
  return (
    lines.map(([label, text]) => (label === '' ? text : `  ${label.padEnd(13)}${text}`)).join('\n') + '\n'
  )
}

function headline({ profile, state, credential, source }: Status): string {
  const where = source === 'environment' ? 'CODEX_AUTH_TOKEN (it wins over the store)' : profile
  if (state === 'none') return `${where}: not signed in`
  if (credential === undefined) return `${where}: stored, but it cannot be read`
  return `${where}: ${holderWithPlan(credential)}`
}

function tokenLines(status: Status): [string, string][] {
  const { credential } = status
  if (credential === undefined) return []
  const label = credential.method === 'api_key' ? 'API key' : 'Access token'
  const lines: [string, string][] = [[label, lifeText(status)]]
  if (credential.mintedApiKey !== undefined)
    lines.push(['API key', 'stored, too: codex-auth token --kind api-key'])
  if (credential.clockSkew !== 0) lines.push(['Clock', skewText(credential.clockSkew)])
  return lines
}

function lifeText({ credential, at, state }: Status): string {
  const left = credential && remaining(credential, at)
  if (left === undefined)
    return credential?.method === 'api_key' ? 'never expires by itself' : 'usable; nobody said until when'
  const renewal = state === 'dead' || credential?.refreshToken === undefined ? '' : ', renews by itself'
  if (left <= 0) return `expired ${formatDuration(-left)} ago${renewal}`
  return `lives ${formatDuration(left)} more (until ${timestamp(credential?.expiresAt)})${renewal}`
}

const VERIFIED = {
  valid: 'yes, just now',
  refused: 'no, it is refused',
  unknown: 'not known',
}

function verifiedLines({ verification }: Status): [string, string][] {
  return verification === undefined ? [] : [['Accepted', VERIFIED[verification]]]
}

function useLines({ usage, at }: Status, style: MeterStyle): [string, string][] {
  if (usage === undefined) return []
  return usage === 'not_told' ? [['Usage', 'not told for this kind of login']] : usageLines(usage, at, style)
}

function skewText(skew: number): string {
  return `this machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'behind' : 'ahead of'} the provider's`
}

function providerLines({ credential }: Status): [string, string][] {
  if (credential === undefined) return []
  return [
    ['Provider', `${credential.issuer} (${credential.provider})`],
    ['Scopes', credential.scopes.join(' ') || 'none'],
  ]
}

function storeLines({ store, state, signIn }: Status): [string, string][] {
  const lines: [string, string][] = []
  if (store !== undefined && state !== 'none')
    lines.push(['Stored in', `${store.path} (sealed, key: ${store.keySource})`])
  if (signIn !== undefined)
    lines.push(['Signing in', `a sign-in is waiting (pid ${signIn.pid}, ${signIn.method})`])
  return lines
}

function problemLines(status: Status): [string, string][] {
  const { problem, nextStep } = status
  if (problem === undefined || nextStep === undefined) return []
  return [
    ['Problem', problem.message],
    ['Next', nextStep],
  ]
}
