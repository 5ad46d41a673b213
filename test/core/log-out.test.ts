import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { logOut } from '../../src/core/log-out.ts'
import { freshSecret, sampleCredential } from '../support/credentials.ts'
import { MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

function signedOut(ports: MemoryPorts, localOnly = false) {
  return logOut({ profile: PROFILE, localOnly }, ports)
}

const WHOLE = [
  'lock',
  'open https://auth.openai.com',
  'discover',
  'revoke the stored login',
  'remove',
  'unlock',
]

describe('logging out', () => {
  test('revokes first and removes then, so that a login that is still here can be revoked again', async () => {
    const ports = new MemoryPorts(sampleCredential())
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'revoked' },
      apiKeyRemains: false,
    })
    expect({ journal: ports.journal, stored: ports.stored }).toEqual({ journal: WHOLE, stored: undefined })
  })

  test('removes a login of a provider that cannot revoke', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.canRevoke = false
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'not_supported' },
      apiKeyRemains: false,
    })
    expect(ports.stored).toBeUndefined()
  })

  test.each(['revoke', 'discover'] as const)('removes it whatever the provider says (%s)', async (step) => {
    const ports = new MemoryPorts(sampleCredential())
    const error = new AuthError('provider_failed', 'It is not well.')
    ports.faults.set(step, error)
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'unconfirmed', error },
      apiKeyRemains: false,
    })
    expect(ports.stored).toBeUndefined()
  })

  test('removes what cannot be read, and tells nobody', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const error = new AuthError('store_corrupt', 'Damaged.')
    ports.faults.set('read', error)
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'unconfirmed', error },
      apiKeyRemains: undefined,
    })
    expect(ports.journal).toEqual(['lock', 'remove', 'unlock'])
  })

  test('tells nobody when it is to stay here', async () => {
    const ports = new MemoryPorts(sampleCredential())
    expect(await signedOut(ports, true)).toEqual({
      removed: true,
      revocation: undefined,
      apiKeyRemains: false,
    })
    expect(ports.journal).toEqual(['lock', 'remove', 'unlock'])
  })

  test.each(['api_key', 'access_token'] as const)(
    'tells nobody of a token given by hand (%s)',
    async (method) => {
      const ports = new MemoryPorts(sampleCredential({ method }))
      expect(await signedOut(ports)).toEqual({
        removed: true,
        revocation: { kind: 'not_needed' },
        apiKeyRemains: false,
      })
      expect(ports.journal).toEqual(['lock', 'remove', 'unlock'])
    },
  )

  test('knows of the API key that stays good', async () => {
    const ports = new MemoryPorts(sampleCredential({ mintedApiKey: freshSecret('api_key') }))
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'revoked' },
      apiKeyRemains: true,
    })
  })

  test('does nothing where nobody is signed in', async () => {
    const ports = new MemoryPorts(undefined)
    expect(await signedOut(ports)).toEqual({ removed: false, revocation: undefined, apiKeyRemains: false })
    expect(ports.journal).toEqual([])
  })

  test('has nothing to revoke when another process has logged out meanwhile', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('lock', () => ports.replace(undefined))
    expect(await signedOut(ports)).toEqual({
      removed: true,
      revocation: { kind: 'not_needed' },
      apiKeyRemains: false,
    })
  })

  test('revokes the login that another process has saved meanwhile', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('lock', () => ports.replace(sampleCredential()))
    await signedOut(ports)
    expect(ports.journal).toEqual(WHOLE)
  })

  test.each([
    ['lock', 'store_busy'],
    ['remove', 'store_unwritable'],
  ] as const)('tells when it could not be removed (%s)', async (step, code) => {
    const ports = new MemoryPorts(sampleCredential())
    ports.faults.set(step, new AuthError(code, 'It cannot be done.'))
    expect(await rejected(signedOut(ports))).toMatchObject({ code, exitCode: 7 })
    expect(ports.stored).toBeDefined()
  })

  test('does not take a bug for an answer', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const bug = new TypeError('undefined is not a function')
    ports.faults.set('revoke', bug)
    await expect(signedOut(ports)).rejects.toBe(bug)
  })
})

function silent(ports: MemoryPorts): void {
  ports.before.set('revoke', () => {
    const { signal } = ports
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
    })
  })
}

describe('a provider that does not answer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('is given five seconds', async () => {
    const ports = new MemoryPorts(sampleCredential())
    silent(ports)
    const ended = signedOut(ports)
    await vi.advanceTimersByTimeAsync(4999)
    expect(ports.stored).toBeDefined()
    await vi.advanceTimersByTimeAsync(1)
    const error = new AuthError('timeout', 'The provider did not confirm the revocation within 5 s.')
    expect(await ended).toEqual({
      removed: true,
      revocation: { kind: 'unconfirmed', error },
      apiKeyRemains: false,
    })
    expect({ stored: ports.stored, timers: vi.getTimerCount() }).toEqual({ stored: undefined, timers: 0 })
  })

  test('is not waited for after a signal', async () => {
    const signal = new AbortController()
    const ports = new MemoryPorts(sampleCredential(), signal.signal)
    silent(ports)
    const ended = signedOut(ports)
    const error = new AuthError('interrupted', 'Interrupted.')
    await vi.advanceTimersByTimeAsync(10)
    signal.abort(error)
    expect(await ended).toEqual({
      removed: true,
      revocation: { kind: 'unconfirmed', error },
      apiKeyRemains: false,
    })
    expect(vi.getTimerCount()).toBe(0)
  })
})
