import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import type { RefreshPorts } from './refresh.ts'
import { withinTime } from './time-limit.ts'

/** What became of a login at the provider. `undefined` as error: nobody was asked, since there is nothing to revoke. */
export type Revocation =
  | { readonly kind: 'revoked' }
  | { readonly kind: 'not_supported' }
  | { readonly kind: 'not_needed' }
  | { readonly kind: 'unconfirmed'; readonly error: AuthError }

/** Seconds. Nobody who logs out should wait longer for a server that does not answer. */
const LIMIT = 5

/** Revokes a login at its provider (RFC 7009), within five seconds. Never throws an {@link AuthError}. */
export async function revocation(
  credential: Credential,
  { providers, interruption }: Pick<RefreshPorts, 'providers' | 'interruption'>,
): Promise<Revocation> {
  if (credential.method === 'api_key' || credential.method === 'access_token') return { kind: 'not_needed' }
  try {
    return await withinTime(LIMIT, late, interruption, async (signal) => {
      const provider = await providers.open({ ...credential, name: credential.provider })
      await provider.discover(signal)
      return { kind: (await provider.revoke(credential, signal)) ? 'revoked' : 'not_supported' }
    })
  } catch (error) {
    if (error instanceof AuthError) return { kind: 'unconfirmed', error }
    throw error
  }
}

function late(): AuthError {
  return new AuthError('timeout', `The provider did not confirm the revocation within ${LIMIT} s.`)
}
