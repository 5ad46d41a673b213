import { AuthError } from '../errors.ts'
import { isSafeAddress } from '../core/safe-address.ts'

/** @throws {AuthError} `usage` for anything but origins to which a secret may be sent: https, or http on loopback addresses. */
export function checkedOrigins(origins: readonly string[]): ReadonlySet<string> {
  return new Set(origins.map(checked))
}

function checked(origin: string): string {
  // The slash that browsers' address bars add means nothing; a path would look like a limit, and be none.
  if (isSafeAddress(origin) && /^https?:\/\/[^/?#\s]+\/?$/i.test(origin)) return new URL(origin).origin
  throw new AuthError('usage', 'An origin that may get the access token is not one, or is not safe.', {
    nextStep: 'write it as in https://api.example.com (http only for 127.0.0.1, [::1] and localhost)',
  })
}
