import { AuthError } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { LockHolder } from './ports.ts'
import type { RefreshPorts } from './refresh.ts'
import { revocation, type Revocation } from './revocation.ts'

export interface LogOutRequest {
  readonly profile: string
  /** `true`: the provider is not told. */
  readonly localOnly: boolean
  onWait?(holder: LockHolder, waited: number): void
}

export interface LoggedOut {
  /** `false`: nothing was stored. */
  readonly removed: boolean
  /** `undefined`: the provider was not asked. */
  readonly revocation: Revocation | undefined
  /** An API key came from this login, which no revocation ends. `undefined`: what was stored could not be read. */
  readonly apiKeyRemains: boolean | undefined
}

/**
 * Revokes the login at the provider and removes it here, whatever the provider says. What cannot be read cannot be
 * revoked and is removed all the same.
 * @throws {AuthError} `store_busy` or `store_unwritable`; then nothing was removed.
 */
export async function logOut(request: LogOutRequest, ports: RefreshPorts): Promise<LoggedOut> {
  const { profile, onWait } = request
  if (attemptRead(() => ports.store.read(profile)) === undefined)
    return { removed: false, revocation: undefined, apiKeyRemains: false }
  return ports.store.exclusively(profile, {
    work: async (held) => {
      const stored = attemptRead(() => held.read())
      const outcome = request.localOnly ? undefined : await revoked(stored, ports)
      held.remove()
      return { removed: true, revocation: outcome, apiKeyRemains: hasApiKey(stored) }
    },
    ...(onWait && { onWait }),
  })
}

type Found = ReturnType<typeof attemptRead>

function hasApiKey(stored: Found): boolean | undefined {
  if (stored instanceof AuthError) return undefined
  return stored?.credential.mintedApiKey !== undefined
}

async function revoked(stored: Found, ports: RefreshPorts): Promise<Revocation> {
  if (stored === undefined) return { kind: 'not_needed' }
  return stored instanceof AuthError
    ? { kind: 'unconfirmed', error: stored }
    : revocation(stored.credential, ports)
}
