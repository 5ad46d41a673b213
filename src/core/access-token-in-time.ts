import { AuthError } from '../errors.ts'
import {
  accessToken,
  asItIs,
  judged,
  orLiving,
  type AccessTokenPorts,
  type AccessTokenRequest,
  type AccessTokenResult,
} from './access-token.ts'
import { attemptRead } from './attempt-read.ts'
import { EXPIRING, isDueForRefresh, isLiving } from './lifetime.ts'
import type { StoredCredential } from './ports.ts'
import { isRenewed, present } from './refresh.ts'

export interface BackgroundRun<T> {
  readonly profile: string
  /** The refresh is for the credential with this number; a newer one is what it would have come to. */
  readonly generation: number
  /** Seconds. */
  readonly within: number
  readonly signal: AbortSignal
  /** Looks at what is stored now; anything but `undefined` ends the wait with that value. */
  settled(): T | undefined
}

/** Refreshes in a process of its own, which goes on and saves its answer whatever becomes of this one. */
export interface BackgroundRefresh {
  /**
   * Resolves with what `settled` gives, asked again and again while it runs, or with `undefined` once it has ended well.
   * @throws {AuthError} what the refresh ended with; `timeout` after `within` seconds, while it goes on; `signal`'s reason.
   */
  run<T>(run: BackgroundRun<T>): Promise<T | undefined>
}

export interface InTimeRequest extends AccessTokenRequest {
  /** Seconds in which there must be an answer. */
  readonly within: number
}

export interface InTimePorts extends AccessTokenPorts {
  readonly background: BackgroundRefresh
}

/**
 * As {@link accessToken}, for a caller who ends this process when it takes too long: an answer in time, and a refresh
 * that neither the end of the time nor the end of this process interrupts.
 * @throws {AuthError} as there; `timeout` when the refresh has not ended in time and the stored token does not live.
 */
export async function accessTokenInTime(
  request: InTimeRequest,
  ports: InTimePorts,
): Promise<AccessTokenResult> {
  const { profile } = request
  if (ports.environment !== undefined) return accessToken(request, ports)
  const before = present(ports.store.read(profile), profile)
  if (!mayHelp(before, request, ports)) return asItIs(before, request, ports)
  try {
    const { interruption: signal, background } = ports
    const settled = (): StoredCredential | undefined => newer(before, request, ports)
    const { generation } = before
    const found = await background.run({ profile, generation, within: request.within, signal, settled })
    return judged(found ?? present(ports.store.read(profile), profile), request, ports)
  } catch (error) {
    return judged(orLiving(error, before, request, ports), request, ports)
  }
}

function mayHelp({ credential }: StoredCredential, request: InTimeRequest, ports: InTimePorts): boolean {
  const isDue = isDueForRefresh(credential, ports.clock.now(), request.minTtl ?? EXPIRING)
  return isDue && credential.refreshToken !== undefined && request.mayRefresh
}

/** What another process has come to, ours or not. What cannot be read now says nothing yet. */
function newer(
  before: StoredCredential,
  { profile }: InTimeRequest,
  { store, clock }: InTimePorts,
): StoredCredential | undefined {
  const found = attemptRead(() => store.read(profile))
  if (found === undefined || found instanceof AuthError || !isRenewed(found, before)) return undefined
  return found.credential.refusal === undefined && isLiving(found.credential, clock.now()) ? found : undefined
}
