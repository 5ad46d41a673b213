import { AuthError, type ErrorCode } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { Credential, RefusalReason } from './credential.ts'
import { nextStep } from './exit-code.ts'
import { isLiving, livesFor } from './lifetime.ts'
import type { Clock, CredentialStore, SignInProgress, SignIns, StoreDescription, Verdict } from './ports.ts'
import { refusedError } from './refusal.ts'
import type { Usage } from './usage.ts'

/** `unknown`: the provider was asked and did not tell. */
export type State = 'none' | 'valid' | 'expired' | 'dead' | 'unreadable' | 'unknown'

/** Why a login cannot be used: the provider's refusal, or the store's own code. */
export type Reason = RefusalReason | ErrorCode

export interface Status {
  readonly profile: string
  readonly state: State
  /** What is wrong, or short, with the code that decides the exit code. `undefined`: all is well. */
  readonly problem: AuthError | undefined
  /** What to do about the problem. `undefined`: all is well. */
  readonly nextStep: string | undefined
  readonly reason: Reason | undefined
  /** `undefined`: none, or it cannot be read. */
  readonly credential: Credential | undefined
  /** Epoch seconds at which this was found. */
  readonly at: number
  readonly source: 'store' | 'environment'
  /** `undefined`: it comes from the environment. */
  readonly store: StoreDescription | undefined
  readonly signIn: SignInProgress | undefined
  /** What the provider says of the access token. `undefined`: it was not asked. */
  readonly verification: Verdict | 'unknown' | undefined
  /** `not_told`: this provider does not tell. `undefined`: it was not asked, or did not answer. */
  readonly usage: Usage | 'not_told' | undefined
}

export interface StatusPorts {
  readonly store: CredentialStore
  readonly clock: Clock
  readonly signIns: SignIns
  /** A token given by the environment, which wins over the store. */
  readonly environment: Credential | undefined
  /** The flag that leads to a profile, with a leading space; empty where none is needed. */
  profileFlag(profile: string): string
}

/** What is stored in a profile and whether it will work, without asking anybody. Never throws for what it finds there. */
export function status(profile: string, minTtl: number | undefined, ports: StatusPorts): Status {
  const { environment } = ports
  const found = environment ? { credential: environment } : attemptRead(() => ports.store.read(profile))
  const at = ports.clock.now()
  const judgement = environment
    ? judgeEnvironment(environment, at, minTtl)
    : judge(found, at, minTtl, profile)
  const { problem } = judgement
  return {
    profile,
    ...judgement,
    nextStep: problem && nextStep(problem, ports.profileFlag(profile)),
    credential: found instanceof AuthError ? undefined : found?.credential,
    at,
    source: environment ? 'environment' : 'store',
    store: environment ? undefined : ports.store.describe(profile),
    signIn: ports.signIns.current(profile),
    verification: undefined,
    usage: undefined,
  }
}

type Judgement = Pick<Status, 'state' | 'problem' | 'reason'>

function judge(
  found: { credential: Credential } | AuthError | undefined,
  now: number,
  minTtl: number | undefined,
  profile: string,
): Judgement {
  if (found === undefined) {
    const problem = new AuthError('not_logged_in', `Nobody is signed in to the profile "${profile}".`)
    return { state: 'none', problem, reason: undefined }
  }
  if (found instanceof AuthError) return { state: 'unreadable', problem: found, reason: found.code }
  return judgeCredential(found.credential, now, minTtl)
}

/** Signing in would not help: this token wins over the store for as long as the variable is set. */
function judgeEnvironment(credential: Credential, now: number, minTtl: number | undefined): Judgement {
  if (isLiving(credential, now)) return judgeCredential(credential, now, minTtl)
  const problem = new AuthError('not_refreshable', 'The access token in CODEX_AUTH_TOKEN has expired.', {
    nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
  })
  return { state: 'dead', problem, reason: 'expired' }
}

function judgeCredential(credential: Credential, now: number, minTtl: number | undefined): Judgement {
  const { refusal } = credential
  if (refusal !== undefined) return { state: 'dead', problem: refusedError(refusal), reason: refusal.reason }
  const living = isLiving(credential, now)
  if (!living && credential.refreshToken === undefined) {
    const problem = new AuthError(
      'not_refreshable',
      'The access token has expired, and this login cannot be renewed.',
    )
    return { state: 'dead', problem, reason: 'expired' }
  }
  const problem = minTtl === undefined || livesFor(credential, now, minTtl) ? undefined : short(credential)
  return { state: living ? 'valid' : 'expired', problem, reason: undefined }
}

/** Without a refresh token, the general advice to refresh would lead nowhere. */
function short({ refreshToken }: Credential): AuthError {
  const advice = { nextStep: 'sign in again for a new one, or go on knowingly: codex-auth login' }
  const options = refreshToken === undefined ? advice : {}
  return new AuthError('short_lived', 'The access token lives shorter than --min-ttl asked.', options)
}
