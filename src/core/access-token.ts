import { AuthError } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { Credential } from './credential.ts'
import { isPassing } from './exit-code.ts'
import { EXPIRING, isDueForRefresh, isLiving, livesFor } from './lifetime.ts'
import type { LockHolder, StoredCredential } from './ports.ts'
import { isRenewed, present, refresh, type RefreshPorts } from './refresh.ts'

export interface AccessTokenRequest {
  readonly profile: string
  /** Seconds the token should still live. `undefined`: not asked for, and five minutes decide whether to refresh. */
  readonly minTtl: number | undefined
  /** `false`: never ask the provider. */
  readonly mayRefresh: boolean
  onWait?(holder: LockHolder, waited: number): void
  /** One line for the person: the token is handed out although something did not work. */
  warn?(message: string): void
}

export interface AccessTokenPorts extends RefreshPorts {
  /** A token given by the environment, which wins over the store. */
  readonly environment: Credential | undefined
}

export interface AccessTokenResult {
  readonly stored: StoredCredential
  /** It lives shorter than `minTtl` asked. Never `true` when nothing was asked. */
  readonly short: boolean
}

/**
 * A usable access token, refreshed first when it is about to end.
 * @throws {AuthError} `not_logged_in`, `refresh_refused`, `not_refreshable`; `short_lived` when it has ended and must
 * not be refreshed; a passing fault only when the stored token does not live any more.
 */
export async function accessToken(
  request: AccessTokenRequest,
  ports: AccessTokenPorts,
): Promise<AccessTokenResult> {
  if (ports.environment !== undefined) return fromEnvironment(ports.environment, request, ports)
  await ports.store.recover(request.profile)
  const stored = present(ports.store.read(request.profile), request.profile)
  const minTtl = request.minTtl ?? EXPIRING
  const now = ports.clock.now()
  if (!isDueForRefresh(stored.credential, now, minTtl)) return judged(stored, request, ports)
  if (stored.credential.refreshToken === undefined || !request.mayRefresh)
    return asItIs(stored, request, ports)
  return judged(await refreshedOrLiving(stored, request, ports), request, ports)
}

function fromEnvironment(
  credential: Credential,
  request: AccessTokenRequest,
  ports: RefreshPorts,
): AccessTokenResult {
  if (isLiving(credential, ports.clock.now())) return judged({ credential, generation: 0 }, request, ports)
  throw new AuthError('not_refreshable', 'The access token in CODEX_AUTH_TOKEN has expired.', {
    nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
  })
}

/** The result, with whether it lives as long as was asked. */
export function judged(
  stored: StoredCredential,
  request: AccessTokenRequest,
  ports: RefreshPorts,
): AccessTokenResult {
  const short =
    request.minTtl !== undefined && !livesFor(stored.credential, ports.clock.now(), request.minTtl)
  return { stored, short }
}

/** The stored token without asking anybody. @throws {AuthError} `not_refreshable`, `short_lived` when it has ended. */
export function asItIs(
  stored: StoredCredential,
  request: AccessTokenRequest,
  ports: RefreshPorts,
): AccessTokenResult {
  if (isLiving(stored.credential, ports.clock.now())) return judged(stored, request, ports)
  if (stored.credential.refreshToken === undefined) {
    throw new AuthError('not_refreshable', 'The access token has expired, and this login cannot be renewed.')
  }
  throw new AuthError('short_lived', 'The access token has expired, and --no-refresh forbids to renew it.')
}

async function refreshedOrLiving(
  before: StoredCredential,
  request: AccessTokenRequest,
  ports: RefreshPorts,
): Promise<StoredCredential> {
  const minTtl = request.minTtl ?? EXPIRING
  try {
    const { stored } = await refresh(
      {
        ...request,
        reason: 'proactive_expiry',
        enough: (found) => {
          const later = ports.clock.now()
          const refreshedMeanwhile = isRenewed(found, before) && isLiving(found.credential, later)
          return refreshedMeanwhile || !isDueForRefresh(found.credential, later, minTtl)
        },
      },
      ports,
    )
    return stored
  } catch (error) {
    return orLiving(error, before, request, ports)
  }
}

/**
 * The stored token in place of one that could not be had, where the fault passes and the token still lives.
 * @throws the error otherwise.
 */
export function orLiving(
  error: unknown,
  before: StoredCredential,
  request: AccessTokenRequest,
  ports: RefreshPorts,
): StoredCredential {
  if (!isPassing(error)) throw error
  const found = attemptRead(() => ports.store.read(request.profile)) ?? before
  // What stands in the way of reading is the smaller news: the first error may say where new tokens are kept.
  const still = found instanceof AuthError ? before : found
  if (still.credential.refusal !== undefined || !isLiving(still.credential, ports.clock.now())) throw error
  request.warn?.(`${error.message} The stored token still lives and is used.`)
  return still
}
