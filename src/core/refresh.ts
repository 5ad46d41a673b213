import { AuthError } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { Credential, RefusalReason } from './credential.ts'
import { isLiving } from './lifetime.ts'
import type {
  Clock,
  CredentialStore,
  HeldCredential,
  LockHolder,
  Providers,
  RefreshReason,
  StoredCredential,
  Tokens,
} from './ports.ts'
import { refusedError } from './refusal.ts'

/** Seconds. With one attempt's own limit on top, still less than waiters have. */
const RETRY_FOR = 10

export interface RefreshPorts {
  readonly store: CredentialStore
  readonly providers: Providers
  readonly clock: Clock
  /** Aborted by a signal. It ends every wait, but never the time between a sent refresh token and the saved answer. */
  readonly interruption: AbortSignal
}

export interface RefreshCall {
  readonly profile: string
  readonly reason: RefreshReason
  /** Whether what is stored now is already what the caller came for, for example because another process refreshed. */
  enough(stored: StoredCredential): boolean
  onWait?(holder: LockHolder, waited: number): void
}

export interface Refreshed {
  readonly stored: StoredCredential
  /** `false`: another process had done it. */
  readonly sent: boolean
}

/**
 * One refresh, whatever the number of processes that want it: the first one sends the refresh token, the others
 * take over what it saved.
 * @throws {AuthError} `refresh_refused` (and remembers it), `not_refreshable`, `not_logged_in`; a passing fault of
 * provider or disk, and then the stored credential is byte for byte what it was, unless it is an access token that has
 * ended already: that is saved.
 */
export async function refresh(request: RefreshCall, ports: RefreshPorts): Promise<Refreshed> {
  const { profile, onWait } = request
  const refreshed = await ports.store.exclusively<Refreshed>(profile, {
    settled: () => {
      const stored = present(ports.store.read(profile), profile)
      return request.enough(stored) ? { stored, sent: false } : undefined
    },
    work: async (held) => {
      try {
        return await spend(held, request, ports)
      } finally {
        held.release()
      }
    },
    ...(onWait && { onWait }),
  })
  // A signal that came after the token was sent has waited until the answer was saved.
  ports.interruption.throwIfAborted()
  if (!isLiving(refreshed.stored.credential, ports.clock.now())) throw endedAlready()
  return refreshed
}

/** The refresh token that came with it is the only one left. */
function endedAlready(): AuthError {
  return new AuthError(
    'invalid_answer',
    'The provider renewed the login with an access token that has ended already.',
    { nextStep: "check this machine's clock, and try again" },
  )
}

/** Whether a refresh or a sign-in came after `before`: the number of the write also grows with an API key that is kept. */
export function isRenewed(
  { credential: after }: StoredCredential,
  { credential: before }: StoredCredential,
): boolean {
  return (
    after.accessToken !== before.accessToken ||
    after.refreshedAt !== before.refreshedAt ||
    after.obtainedAt !== before.obtainedAt
  )
}

/** @throws {AuthError} `not_logged_in`, or `refresh_refused` for a login the provider has already refused. */
export function present(stored: StoredCredential | undefined, profile: string): StoredCredential {
  if (stored === undefined)
    throw new AuthError('not_logged_in', `Nobody is signed in to the profile "${profile}".`)
  if (stored.credential.refusal !== undefined) throw refusedError(stored.credential.refusal)
  return stored
}

async function spend(held: HeldCredential, request: RefreshCall, ports: RefreshPorts): Promise<Refreshed> {
  const { credential } = present(held.read(), request.profile)
  const refreshToken = spendable(credential)
  const provider = await ports.providers.open({ ...credential, name: credential.provider })
  await provider.discover(ports.interruption)
  ports.interruption.throwIfAborted()
  held.reserve()
  held.recordSpending(refreshToken)
  const outcome = await provider.refresh(credential, {
    reason: request.reason,
    // While the stored token lives there is no hurry, and the caller gets it instead of a long wait.
    retryFor: isLiving(credential, ports.clock.now()) ? 0 : RETRY_FOR,
    signal: ports.interruption,
  })
  const now = Math.floor(ports.clock.now())
  if (outcome.kind === 'refused') return refused(held, credential, outcome.reason, now)
  // Another process can have replaced the login while this one was suspended: then the newer one stays.
  return (
    replacedMeanwhile(held, credential) ?? {
      stored: held.save(renewed(credential, outcome.tokens, now)),
      sent: true,
    }
  )
}

function refused(
  held: HeldCredential,
  credential: Credential,
  reason: RefusalReason,
  now: number,
): Refreshed {
  const newer = replacedMeanwhile(held, credential)
  if (newer !== undefined) return newer
  const refusal = { reason, at: now }
  held.save({ ...credential, refusal })
  throw refusedError(refusal, held.spentBefore(spendable(credential)))
}

function replacedMeanwhile(held: HeldCredential, spent: Credential): Refreshed | undefined {
  const stored = attemptRead(() => held.read())
  // A file that was damaged or removed while the answer was on its way must not keep the answer from being saved.
  if (stored === undefined || stored instanceof AuthError) return undefined
  if (stored.credential.refreshToken === spent.refreshToken) return undefined
  return { stored, sent: false }
}

function spendable(credential: Credential): string {
  if (credential.refreshToken !== undefined) return credential.refreshToken
  const what = credential.method === 'api_key' ? 'An API key' : 'This login has no refresh token, so it'
  throw new AuthError('not_refreshable', `${what} cannot be refreshed.`)
}

/** What an answer does not mention stays as it was (RFC 6749, section 6). */
function renewed(credential: Credential, tokens: Tokens, now: number): Credential {
  return {
    ...credential,
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    refreshToken: tokens.refreshToken ?? credential.refreshToken,
    idToken: tokens.idToken ?? credential.idToken,
    expiresAt: tokens.expiresAt,
    refreshedAt: now,
    scopes: tokens.scopes ?? credential.scopes,
    account: {
      email: tokens.account?.email ?? credential.account.email,
      id: tokens.account?.id ?? credential.account.id,
      userId: tokens.account?.userId ?? credential.account.userId,
      plan: tokens.account?.plan ?? credential.account.plan,
    },
    clockSkew: tokens.clockSkew,
  }
}
