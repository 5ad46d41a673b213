import { describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import type { Credential } from '../../src/core/credential.ts'
import { refresh } from '../../src/core/refresh.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { endingCredential, freshTokens, MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

function forced(ports: MemoryPorts) {
  const before = ports.stored?.generation
  const enough = ({ generation }: { readonly generation: number }) => generation !== before
  return refresh({ profile: PROFILE, reason: 'forced', enough }, ports)
}

const WHOLE = [
  'lock',
  'open https://auth.openai.com',
  'discover',
  'reserve',
  'spend the stored',
  'refresh, forced, for 0 s',
  'save',
  'release',
  'unlock',
]

/** The journal until this step, and the end of it. */
function until(step: string): string[] {
  return [...WHOLE.slice(0, WHOLE.indexOf(step) + 1), 'release', 'unlock']
}

describe('a refresh', () => {
  test('proves that the answer can be kept and records what it spends before it asks', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const refreshed = await forced(ports)
    expect(ports.journal).toEqual(WHOLE)
    expect(refreshed).toEqual({ stored: ports.stored, sent: true })
  })

  test('may be tried for longer when there is no living token to fall back on', async () => {
    const ports = new MemoryPorts(endingCredential(0))
    await forced(ports)
    expect(ports.journal).toEqual(WHOLE.map((step) => step.replace('for 0 s', 'for 10 s')))
  })

  test('can be interrupted between attempts', async () => {
    const ports = new MemoryPorts(sampleCredential())
    await forced(ports)
    expect(ports.signal).toBe(ports.interruption)
  })

  test('keeps of the old login what the answer does not mention', async () => {
    const old = sampleCredential({ refreshedAt: NOW - 600 })
    const ports = new MemoryPorts(old)
    const account = { email: undefined, id: undefined, userId: undefined, plan: 'pro' }
    const tokens = freshTokens({
      refreshToken: undefined,
      idToken: undefined,
      scopes: undefined,
      expiresAt: undefined,
      tokenType: 'DPoP',
      clockSkew: 90,
      account,
    })
    ports.outcome = { kind: 'tokens', tokens }
    await forced(ports)
    expect(ports.stored?.credential).toEqual({
      ...old,
      accessToken: tokens.accessToken,
      tokenType: 'DPoP',
      expiresAt: undefined,
      refreshedAt: NOW,
      account: { ...old.account, plan: 'pro' },
      clockSkew: 90,
    })
  })

  test('takes over everything that the answer does mention', async () => {
    const old = sampleCredential()
    const ports = new MemoryPorts(old)
    const account = { email: 'eve@example.org', id: 'account-9', userId: 'user-9', plan: 'free' }
    const tokens = freshTokens({ scopes: ['openid'], account })
    ports.outcome = { kind: 'tokens', tokens }
    await forced(ports)
    expect(ports.stored?.credential).toEqual({ ...old, ...tokens, refreshedAt: NOW })
  })

  test('asks nobody when another process has done it', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const stored = { credential: sampleCredential(), generation: 7 }
    ports.stored = stored
    const request = { profile: PROFILE, reason: 'forced', enough: () => true } as const
    expect(await refresh(request, ports)).toEqual({ stored, sent: false })
    expect(ports.journal).toEqual([])
  })

  test.each<[string, Partial<Credential>, string]>([
    ['login', {}, 'This login has no refresh token, so it cannot be refreshed.'],
    ['API key', { method: 'api_key' }, 'An API key cannot be refreshed.'],
  ])('of a(n) %s without a refresh token asks nobody', async (_, changes, message) => {
    const ports = new MemoryPorts(sampleCredential({ refreshToken: undefined, ...changes }))
    expect(await rejected(forced(ports))).toMatchObject({ code: 'not_refreshable', message })
    expect(ports.journal).toEqual(['lock', 'release', 'unlock'])
  })

  test('of a dead login does not even take the lock', async () => {
    const ports = new MemoryPorts(sampleCredential({ refusal: { reason: 'reused', at: NOW - 60 } }))
    expect(await rejected(forced(ports))).toMatchObject({ code: 'refresh_refused' })
    expect(ports.journal).toEqual([])
  })
})

describe('nothing is spent', () => {
  const full = new AuthError('store_unwritable', 'The disk is full.')
  const away = new AuthError('network', 'It is away.')

  test.each([
    ['the provider cannot be asked what it is', 'discover', away],
    ['the answer could not be kept', 'reserve', full],
  ] as const)('when %s', async (_, step, fault) => {
    const ports = new MemoryPorts(sampleCredential())
    const before = ports.stored
    ports.faults.set(step, fault)
    expect(await rejected(forced(ports))).toMatchObject({ code: fault.code, message: fault.message })
    expect({ journal: ports.journal, stored: ports.stored }).toEqual({
      journal: until(step),
      stored: before,
    })
  })
})

describe('what is stored does not change', () => {
  test.each(['network', 'timeout', 'rate_limited', 'provider_failed', 'invalid_answer'] as const)(
    'when there is no answer to go by (%s)',
    async (code) => {
      const ports = new MemoryPorts(sampleCredential())
      const before = ports.stored
      ports.faults.set('refresh', new AuthError(code, 'It is not well.'))
      expect(await rejected(forced(ports))).toMatchObject({ code, message: 'It is not well.' })
      expect({ journal: ports.journal, stored: ports.stored }).toEqual({
        journal: until('refresh, forced, for 0 s'),
        stored: before,
      })
    },
  )

  test('when another process replaced it while the answer was on its way', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const newer = sampleCredential()
    ports.before.set('refresh', () => ports.replace(newer))
    expect(await forced(ports)).toEqual({ stored: { credential: newer, generation: 2 }, sent: false })
    expect(ports.journal).toEqual(until('refresh, forced, for 0 s'))
  })

  test('when the refusal is for a login that another process has replaced', async () => {
    const ports = new MemoryPorts(sampleCredential())
    const newer = sampleCredential()
    ports.before.set('refresh', () => ports.replace(newer))
    ports.outcome = { kind: 'refused', reason: 'reused' }
    expect(await forced(ports)).toEqual({ stored: { credential: newer, generation: 2 }, sent: false })
    expect(ports.stored?.credential).toEqual(newer)
  })
})

describe('an answer is kept', () => {
  test('when what was stored is gone by then', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('refresh', () => ports.replace(undefined))
    expect(await forced(ports)).toMatchObject({ sent: true })
    expect(ports.journal).toEqual(WHOLE)
  })

  test('when what was stored cannot be read by then', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.before.set('refresh', () => ports.faults.set('read', new AuthError('store_corrupt', 'Damaged.')))
    expect(await forced(ports)).toMatchObject({ sent: true })
    expect(ports.journal).toEqual(WHOLE)
  })

  test('or the fault that kept it from being so is told', async () => {
    const ports = new MemoryPorts(sampleCredential())
    ports.faults.set('save', new AuthError('store_unwritable', 'The disk is gone.'))
    expect(await rejected(forced(ports))).toMatchObject({ code: 'store_unwritable' })
    expect(ports.journal).toEqual(WHOLE)
  })
})

function refusing() {
  const credential = sampleCredential()
  const ports = new MemoryPorts(credential)
  ports.outcome = { kind: 'refused', reason: 'revoked' }
  return { ports, credential }
}

describe('a refusal', () => {
  const message =
    'The provider does not renew this login any more: its refresh token was revoked (2026-09-21T14:13:20Z).'

  test('is remembered with its reason and time', async () => {
    const { ports, credential } = refusing()
    expect(await rejected(forced(ports))).toEqual({
      code: 'refresh_refused',
      exitCode: 4,
      message,
      nextStep: 'codex-auth login',
    })
    expect(ports.stored?.credential).toEqual({ ...credential, refusal: { reason: 'revoked', at: NOW } })
    expect(ports.journal).toEqual(WHOLE)
  })

  test('names the process that died while it was spending the same token', async () => {
    const { ports } = refusing()
    ports.spentBefore = { pid: 77, since: NOW - 30 }
    const told = await rejected(forced(ports))
    expect(told.message).toBe(
      `${message} An earlier process (pid 77) was ended after 2026-09-21T14:12:50Z, while the provider's answer was on its way.`,
    )
  })

  test('that cannot be remembered is a fault of the disk', async () => {
    const { ports, credential } = refusing()
    ports.faults.set('save', new AuthError('store_unwritable', 'The disk is gone.'))
    expect(await rejected(forced(ports))).toMatchObject({ code: 'store_unwritable' })
    expect(ports.stored?.credential).toEqual(credential)
  })
})
