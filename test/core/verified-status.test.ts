import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import type { Verdict } from '../../src/core/ports.ts'
import { verifiedStatus } from '../../src/core/verified-status.ts'
import { parseUsage } from '../../src/core/usage.ts'
import { AuthError, type ErrorCode } from '../../src/errors.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { described } from '../support/thrown.ts'

interface Asking {
  readonly minTtl?: number
  readonly usage?: boolean
  readonly environment?: Credential
}

async function verified(ports: MemoryPorts, { minTtl, usage = false, environment }: Asking = {}) {
  const { store, clock, providers, interruption } = ports
  const signIns = { begin: unused, current: () => undefined, takeOver: unused }
  const all = { store, clock, providers, interruption, signIns, environment, profileFlag: () => '' }
  const found = await verifiedStatus({ profile: PROFILE, minTtl, usage }, all)
  const { state, verification, reason, nextStep, problem } = found
  const { code, exitCode, message } = problem ? described(problem) : {}
  return { state, verification, reason, nextStep, code, exitCode, message, usage: found.usage }
}

function unused(): never {
  throw new Error('status only reads')
}

const GOOD = { state: 'valid', verification: 'valid' }

describe('a token that the provider is asked about', () => {
  test('and accepts is valid, and nothing is saved', async () => {
    const ports = new MemoryPorts(sampleCredential())
    expect(await verified(ports)).toEqual(GOOD)
    expect(ports.journal).toEqual(['open https://auth.openai.com', 'verify the stored token'])
  })

  test('and accepts may still live too short', async () => {
    const ports = new MemoryPorts(sampleCredential())
    expect(await verified(ports, { minTtl: 7200 })).toMatchObject({ ...GOOD, exitCode: 3 })
  })

  test.each<[string, Partial<Credential>, object]>([
    [
      'a login that can be renewed',
      {},
      {
        message: 'The provider refuses the access token.',
        nextStep: 'codex-auth refresh; if that is refused too: codex-auth login',
      },
    ],
    [
      'a login that cannot',
      { refreshToken: undefined },
      { message: 'The provider refuses the access token.', nextStep: 'codex-auth login' },
    ],
    [
      'an API key',
      { method: 'api_key', refreshToken: undefined, expiresAt: undefined },
      { message: 'The provider refuses the API key.', nextStep: 'codex-auth login' },
    ],
  ])('and refuses is dead: %s', async (_, changes, words) => {
    const ports = new MemoryPorts(sampleCredential(changes))
    ports.verdicts = ['refused']
    const before = ports.stored
    expect(await verified(ports, { minTtl: 7200 })).toEqual({
      state: 'dead',
      verification: 'refused',
      reason: 'rejected',
      code: 'token_refused',
      exitCode: 4,
      ...words,
    })
    expect(ports.stored).toBe(before)
  })

  test('and refuses is to be replaced where it came from the environment', async () => {
    const ports = new MemoryPorts(undefined)
    ports.verdicts = ['refused']
    const environment = sampleCredential({ method: 'access_token', refreshToken: undefined })
    expect(await verified(ports, { environment })).toMatchObject({
      state: 'dead',
      exitCode: 4,
      message: 'The provider refuses the access token in CODEX_AUTH_TOKEN.',
      nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
    })
  })

  test('and refuses because another process has just refreshed is not the one that counts', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.verdicts = ['refused', 'valid']
    ports.before.set('verify', () => {
      ports.before.delete('verify')
      ports.replace(sampleCredential())
    })
    expect(await verified(ports)).toEqual(GOOD)
    expect(ports.journal.filter((step) => step.startsWith('verify'))).toEqual([
      'verify another token',
      'verify the stored token',
    ])
  })

  test.each<ErrorCode>([
    'network',
    'timeout',
    'rate_limited',
    'provider_failed',
    'invalid_answer',
    'not_verifiable',
  ])('and cannot be told about is unknown (%s)', async (code) => {
    const ports = new MemoryPorts(sampleCredential())
    ports.faults.set('verify', new AuthError(code, 'It does not say.', { nextStep: 'wait' }))
    expect(await verified(ports, { minTtl: 7200 })).toEqual({
      state: 'unknown',
      verification: 'unknown',
      reason: code,
      code,
      exitCode: 5,
      message: 'It does not say.',
      nextStep: 'wait',
    })
  })

  test('and that has expired is not asked about, since only a refresh would tell', async () => {
    const ports = new MemoryPorts(sampleCredential({ expiresAt: NOW }))
    expect(await verified(ports, { minTtl: 60 })).toEqual({
      state: 'unknown',
      verification: 'unknown',
      reason: 'not_verifiable',
      code: 'not_verifiable',
      exitCode: 5,
      message: 'The access token has expired, and whether the login can be renewed shows only when it is.',
      nextStep: 'codex-auth refresh',
    })
    expect(ports.journal).toEqual([])
  })

  test.each<[string, Credential | undefined, string]>([
    ['nobody is signed in', undefined, 'none'],
    ['the login was refused before', sampleCredential({ refusal: { reason: 'reused', at: NOW } }), 'dead'],
    ['it is over', sampleCredential({ expiresAt: NOW, refreshToken: undefined }), 'dead'],
  ])('is not asked about where %s', async (_, credential, state) => {
    const ports = new MemoryPorts(credential)
    expect(await verified(ports)).toMatchObject({ state, verification: undefined, exitCode: 4 })
    expect(ports.journal).toEqual([])
  })

  test('does not hide a bug', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const bug = new TypeError('a bug')
    ports.faults.set('verify', bug)
    await expect(verified(ports)).rejects.toBe(bug)
  })
})

describe('use', () => {
  const usage = parseUsage({ plan_type: 'plus' }, NOW)

  test('is told with the same request that verifies', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.usage = usage
    expect(await verified(ports, { usage: true })).toEqual({ ...GOOD, usage })
    expect(ports.journal).toEqual(['open https://auth.openai.com', 'usage the stored token'])
  })

  test.each<[Verdict, object]>([
    ['valid', { ...GOOD, usage: 'not_told' }],
    ['refused', { state: 'dead', usage: undefined }],
  ])('that no provider tells leaves the token %s', async (verdict, expected) => {
    const ports = new MemoryPorts(sampleCredential())
    ports.verdicts = ['valid', verdict]
    expect(await verified(ports, { usage: true })).toMatchObject(expected)
  })

  test('that is refused is not asked for twice', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.verdicts = ['refused']
    expect(await verified(ports, { usage: true })).toMatchObject({ state: 'dead' })
    expect(ports.journal).toEqual(['open https://auth.openai.com', 'usage the stored token'])
  })
})

function silent(ports: MemoryPorts): MemoryPorts {
  ports.before.set('verify', () => {
    const { signal } = ports
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
    })
  })
  return ports
}

describe('a provider that does not answer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('is given ten seconds', async () => {
    const ended = verified(silent(new MemoryPorts(sampleCredential())))
    await vi.advanceTimersByTimeAsync(9999)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(await ended).toMatchObject({
      state: 'unknown',
      reason: 'timeout',
      message: 'The provider did not say within 10 s whether it accepts the access token.',
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not waited for after a signal', async () => {
    const stop = new AbortController()
    const ended = verified(silent(new MemoryPorts(sampleCredential(), stop.signal)))
    const reason = new AuthError('interrupted', 'Interrupted.')
    const outcome = ended.catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10)
    stop.abort(reason)
    expect(await outcome).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})
