import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import { isPassing, nextStep } from './exit-code.ts'
import type { Providers, Verdict } from './ports.ts'
import { status, type Status, type StatusPorts } from './status.ts'
import { withinTime } from './time-limit.ts'
import type { Usage } from './usage.ts'

/** Seconds for everything asked about one profile: less than the patience of whatever calls this before a job. */
const LIMIT = 10

export interface VerifiedStatusRequest {
  readonly profile: string
  /** Seconds. `undefined`: not asked for. */
  readonly minTtl: number | undefined
  /** Ask how much of the plan is used, too. */
  readonly usage: boolean
}

export interface VerifiedStatusPorts extends StatusPorts {
  readonly providers: Providers
  /** Aborted by a signal. */
  readonly interruption: AbortSignal
}

interface Asked {
  readonly verification: Verdict
  readonly usage: Usage | 'not_told' | undefined
}

/**
 * As {@link status}, and whether the provider accepts the access token now; nothing is refreshed or saved. The state is
 * `valid` only when the provider has just said so, and `unknown` for whatever keeps it from saying.
 * @throws what is neither the provider's fault nor the way's to it, such as an interruption.
 */
export function verifiedStatus(request: VerifiedStatusRequest, ports: VerifiedStatusPorts): Promise<Status> {
  return withinTime(LIMIT, late, ports.interruption, (signal) => verified(request, ports, signal))
}

function late(): AuthError {
  return new AuthError(
    'timeout',
    `The provider did not say within ${LIMIT} s whether it accepts the access token.`,
  )
}

async function verified(
  request: VerifiedStatusRequest,
  ports: VerifiedStatusPorts,
  signal: AbortSignal,
): Promise<Status> {
  const found = status(request.profile, request.minTtl, ports)
  const { credential } = found
  if (credential === undefined || found.state === 'dead') return found
  if (found.state === 'expired') return unknown(found, onlyARefreshTells(), ports)
  try {
    const asked = await ask(credential, request, ports, signal)
    if (asked.verification === 'valid') return { ...found, ...asked }
    // Another process may have refreshed meanwhile, which ends the old token at some providers.
    const isReplaced = tokenOf(status(request.profile, request.minTtl, ports)) !== credential.accessToken
    return isReplaced ? await verified(request, ports, signal) : refused(found, credential, ports)
  } catch (error) {
    if (!isPassing(error)) throw error
    return unknown(found, error, ports)
  }
}

async function ask(
  credential: Credential,
  request: VerifiedStatusRequest,
  { providers }: VerifiedStatusPorts,
  signal: AbortSignal,
): Promise<Asked> {
  const provider = await providers.open({ ...credential, name: credential.provider })
  if (request.usage) {
    const usage = await provider.usage(credential, signal)
    if (usage === 'refused') return { verification: 'refused', usage: undefined }
    if (usage !== undefined) return { verification: 'valid', usage }
  }
  const verification = await provider.verify(credential, signal)
  return { verification, usage: request.usage ? 'not_told' : undefined }
}

function tokenOf({ credential }: Status): string | undefined {
  return credential?.accessToken
}

function onlyARefreshTells(): AuthError {
  return new AuthError(
    'not_verifiable',
    'The access token has expired, and whether the login can be renewed shows only when it is.',
    { nextStep: 'codex-auth refresh' },
  )
}

function refused(found: Status, credential: Credential, ports: StatusPorts): Status {
  const problem = refusedToken(found.source, credential)
  return {
    ...found,
    state: 'dead',
    verification: 'refused',
    problem,
    reason: 'rejected',
    nextStep: nextStep(problem, ports.profileFlag(found.profile)),
  }
}

function refusedToken(source: Status['source'], { method, refreshToken }: Credential): AuthError {
  const what = method === 'api_key' ? 'API key' : 'access token'
  if (source === 'environment') {
    return new AuthError('token_refused', `The provider refuses the ${what} in CODEX_AUTH_TOKEN.`, {
      nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
    })
  }
  const options = refreshToken === undefined ? { nextStep: 'codex-auth login' } : {}
  return new AuthError('token_refused', `The provider refuses the ${what}.`, options)
}

function unknown(found: Status, problem: AuthError, ports: StatusPorts): Status {
  return {
    ...found,
    state: 'unknown',
    verification: 'unknown',
    problem,
    reason: problem.code,
    nextStep: nextStep(problem, ports.profileFlag(found.profile)),
  }
}
