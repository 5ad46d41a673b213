import { createHash } from 'node:crypto'
import { AuthError } from '../../errors.ts'
import type { StoredCredential } from '../../core/ports.ts'
import type { SpendingRecord } from './lock-owner.ts'

/** What a record of spending calls a refresh token. */
export function tokenHash(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('hex')
}

/**
 * Whether the token that a dead process was spending is still the one that will be sent next: neither a refresh nor a
 * refusal has come since. What cannot be read may still be so.
 */
export function isStillOpen(
  stored: StoredCredential | AuthError | undefined,
  { token, at }: SpendingRecord,
): boolean {
  if (stored === undefined) return false
  if (stored instanceof AuthError) return true
  const { refreshToken, refusal, refreshedAt = 0 } = stored.credential
  // A provider may renew a login and leave its refresh token as it is. Credentials count whole seconds.
  const isSettled = refusal !== undefined || refreshedAt >= Math.floor(at)
  return refreshToken !== undefined && tokenHash(refreshToken) === token && !isSettled
}
