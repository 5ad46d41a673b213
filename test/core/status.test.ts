import { describe, expect, test } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import type { SignInProgress, StoredCredential } from '../../src/core/ports.ts'
import { status, type StatusPorts } from '../../src/core/status.ts'
import { AuthError, type ErrorCode } from '../../src/errors.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { described } from '../support/thrown.ts'

const STORE = { path: '/home/ada/.config/codex-auth/profiles/work.cred', keySource: 'file' } as const

interface Surroundings {
  /** What is stored. A failure is what reading it throws. */
  readonly stored?: Credential | Error
  readonly environment?: Credential
  readonly signIn?: SignInProgress
}

function unused(): never {
  throw new Error('status only reads')
}

/** A store with one profile, `work`. */
function ports({ stored, environment, signIn }: Surroundings): StatusPorts {
  const read = (profile: string): StoredCredential | undefined => {
    if (stored instanceof Error) throw stored
    return profile === 'work' && stored !== undefined ? { credential: stored, generation: 1 } : undefined
  }
  return {
    store: {
      read,
      describe: () => STORE,
      profiles: unused,
      recover: unused,
      exclusively: unused,
      forget: unused,
    },
    clock: { now: () => NOW },
    signIns: { begin: unused, current: () => signIn, takeOver: unused },
    environment,
    profileFlag: (profile) => ` --profile ${profile}`,
  }
}

/** The whole status of the profile `work`, with its problem as a person hears it. */
function statusOf(surroundings: Surroundings, minTtl?: number) {
  const { problem, nextStep, ...rest } = status('work', minTtl, ports(surroundings))
  return { ...rest, problem: problem && { ...described(problem), nextStep } }
}

/** What is the same for all that is found in a store in which all is well. */
function inStore(credential: Credential | undefined) {
  return {
    profile: 'work',
    state: 'valid',
    problem: undefined,
    reason: undefined,
    credential,
    at: NOW,
    source: 'store',
    store: STORE,
    signIn: undefined,
  }
}

const SHORT = {
  code: 'short_lived',
  exitCode: 3,
  message: 'The access token lives shorter than --min-ttl asked.',
  nextStep: 'codex-auth refresh --profile work',
}
const RENEWABLE = sampleCredential()
const EXPIRED = sampleCredential({ expiresAt: NOW - 1 })
const ENDLESS = sampleCredential({ expiresAt: undefined, refreshToken: undefined })
const LAST = sampleCredential({ refreshToken: undefined })
const OVER = sampleCredential({ refreshToken: undefined, expiresAt: NOW })

describe('the status of a profile', () => {
  test('with nothing stored is none', () => {
    expect(statusOf({})).toEqual({
      ...inStore(undefined),
      state: 'none',
      problem: {
        code: 'not_logged_in',
        exitCode: 4,
        message: 'Nobody is signed in to the profile "work".',
        nextStep: 'codex-auth login --profile work',
      },
    })
  })

  test.each([
    { what: 'a login that lives', stored: RENEWABLE, minTtl: undefined },
    { what: 'a login that lives exactly as long as asked', stored: RENEWABLE, minTtl: 3600 },
    { what: 'a token without a refresh token that lives', stored: LAST, minTtl: undefined },
    { what: 'a token that nobody told the end of', stored: ENDLESS, minTtl: 1e9 },
  ])('with $what is valid', ({ stored, minTtl }) => {
    expect(statusOf({ stored }, minTtl)).toEqual(inStore(stored))
  })

  test('with a login that lives shorter than asked is valid and short', () => {
    expect(statusOf({ stored: RENEWABLE }, 3601)).toEqual({ ...inStore(RENEWABLE), problem: SHORT })
  })

  test('with an ended token that renews itself is expired and no problem', () => {
    expect(statusOf({ stored: EXPIRED })).toEqual({ ...inStore(EXPIRED), state: 'expired' })
  })

  test('with an ended token that renews itself is short when a life is asked', () => {
    expect(statusOf({ stored: EXPIRED }, 60)).toEqual({
      ...inStore(EXPIRED),
      state: 'expired',
      problem: SHORT,
    })
  })

  test('with an ended token that cannot be renewed is dead', () => {
    expect(statusOf({ stored: OVER })).toEqual({
      ...inStore(OVER),
      state: 'dead',
      reason: 'expired',
      problem: {
        code: 'not_refreshable',
        exitCode: 4,
        message: 'The access token has expired, and this login cannot be renewed.',
        nextStep: 'codex-auth login --profile work',
      },
    })
  })

  test.each([
    ['expired', 'its refresh token has expired'],
    ['reused', 'its refresh token had already been used'],
    ['revoked', 'its refresh token was revoked'],
    ['rejected', 'its refresh token was rejected'],
  ] as const)('with a login refused as %s is dead, even if its token lives', (reason, why) => {
    const stored = sampleCredential({ refusal: { reason, at: Date.UTC(2026, 10, 22) / 1000 } })
    expect(statusOf({ stored }, 1e9)).toEqual({
      ...inStore(stored),
      state: 'dead',
      reason,
      problem: {
        code: 'refresh_refused',
        exitCode: 4,
        message: `The provider does not renew this login any more: ${why} (2026-11-22T00:00:00Z).`,
        nextStep: 'codex-auth login --profile work',
      },
    })
  })

  test.each<ErrorCode>([
    'store_corrupt',
    'store_newer',
    'store_insecure',
    'store_rolled_back',
    'foreign_machine',
    'key_missing',
    'key_mismatch',
  ])('that cannot be read (%s) is unreadable, and says why', (code) => {
    const stored = new AuthError(code, 'It cannot be read.', { nextStep: 'look at it' })
    expect(statusOf({ stored }, 60)).toEqual({
      ...inStore(undefined),
      state: 'unreadable',
      reason: code,
      problem: { code, exitCode: 6, message: 'It cannot be read.', nextStep: 'look at it' },
    })
  })

  test('tells of a sign-in that waits, whatever is stored', () => {
    const signIn = { pid: 4711, since: NOW - 30, method: 'browser' } as const
    expect(statusOf({ stored: RENEWABLE, signIn })).toEqual({ ...inStore(RENEWABLE), signIn })
  })

  test('does not take a bug for something unreadable', () => {
    const stored = new TypeError('x is not a function')
    expect(() => statusOf({ stored })).toThrow(stored)
  })
})

describe('a token from the environment', () => {
  test('wins over the store, which is not even looked at', () => {
    expect(statusOf({ environment: LAST, stored: new Error('it was read') })).toEqual({
      ...inStore(LAST),
      source: 'environment',
      store: undefined,
    })
  })

  test('that has ended is dead', () => {
    expect(statusOf({ environment: OVER })).toEqual({
      ...inStore(OVER),
      state: 'dead',
      reason: 'expired',
      source: 'environment',
      store: undefined,
      problem: {
        code: 'not_refreshable',
        exitCode: 4,
        message: 'The access token in CODEX_AUTH_TOKEN has expired.',
        nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
      },
    })
  })
})
