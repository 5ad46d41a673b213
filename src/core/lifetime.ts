import type { Credential } from './credential.ts'

/** Seconds. A token that lives less is refreshed when nobody asks for more or less; Codex uses the same window. */
export const EXPIRING = 5 * 60

/** Seconds until the access token ends, negative once it has. `undefined`: its end is not known. */
export function remaining(credential: Credential, now: number): number | undefined {
  return credential.expiresAt === undefined ? undefined : credential.expiresAt - now
}

/** Whether the access token lives at least `minTtl` seconds more. One whose end is not known does, until it is refused. */
export function livesFor(credential: Credential, now: number, minTtl: number): boolean {
  const left = remaining(credential, now)
  return left === undefined || left >= Math.max(minTtl, Number.MIN_VALUE)
}

export function isLiving(credential: Credential, now: number): boolean {
  return livesFor(credential, now, 0)
}

/**
 * Whether asking the provider now could give a token that lives `minTtl` seconds. A provider whose tokens never live
 * that long would be asked by every call, so a token in the first tenth of such a short life is left alone.
 */
export function isDueForRefresh(credential: Credential, now: number, minTtl: number): boolean {
  if (livesFor(credential, now, minTtl)) return false
  if (!isLiving(credential, now) || credential.expiresAt === undefined) return true
  const issued = credential.refreshedAt ?? credential.obtainedAt
  const life = credential.expiresAt - issued
  return life >= minTtl || now - issued >= life / 10
}

/** Whether the hot path may hand the access token out without looking further. */
export function isUsableAsIs(credential: Credential, now: number, minTtl: number): boolean {
  return credential.refusal === undefined && livesFor(credential, now, minTtl)
}
