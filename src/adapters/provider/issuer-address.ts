import { baseAddress } from '../../core/safe-address.ts'
import { AuthError } from '../../errors.ts'

/**
 * An issuer identifier (RFC 8414, section 2) as {@link baseAddress} has it.
 * @throws {AuthError} `usage` for anything else.
 */
export function issuerAddress(text: string): string {
  const address = baseAddress(text)
  if (address !== undefined) return address
  // The text is not repeated: it may hold a password.
  throw new AuthError(
    'usage',
    'The issuer is not an address to sign in at: https, with no user, query or fragment.',
    {
      nextStep:
        'write it as in --issuer https://auth.example.com (http only for 127.0.0.1, [::1] and localhost)',
    },
  )
}
