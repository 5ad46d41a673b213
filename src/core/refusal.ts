import { AuthError } from '../errors.ts'
import type { Refusal, RefusalReason } from './credential.ts'
import type { Spending } from './ports.ts'

const REASONS: Record<RefusalReason, string> = {
  expired: 'its refresh token has expired',
  reused: 'its refresh token had already been used',
  revoked: 'its refresh token was revoked',
  rejected: 'its refresh token was rejected',
}

/**
 * The provider's definite "no", as the person hears it: what happened, when, and, where the lock's record tells,
 * that another process died while it was spending the same token.
 */
export function refusedError(refusal: Refusal, spentBefore?: Spending): AuthError {
  const why = spentBefore === undefined ? '' : ` ${diedWhileSpending(spentBefore)}`
  return new AuthError(
    'refresh_refused',
    `The provider does not renew this login any more: ${REASONS[refusal.reason]} (${timestamp(refusal.at)}).${why}`,
  )
}

function diedWhileSpending({ pid, since }: Spending): string {
  const who = pid === undefined ? 'An earlier process' : `An earlier process (pid ${pid})`
  return `${who} was ended after ${timestamp(since)}, while the provider's answer was on its way.`
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}
