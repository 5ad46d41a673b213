import { describe, expect, test } from 'vitest'
import { AuthError, type ErrorCode } from '../../src/errors.ts'
import { accessToken, type AccessTokenRequest } from '../../src/core/access-token.ts'
import { freshSecret, NOW, sampleCredential } from '../support/credentials.ts'
import { endingCredential, freshTokens, MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

function asked(ports: MemoryPorts, changes: Partial<AccessTokenRequest> = {}) {
  const warnings: string[] = []
  const request = { profile: PROFILE, minTtl: undefined, mayRefresh: true, ...changes }
  const result = accessToken({ ...request, warn: (text) => void warnings.push(text) }, ports)
  return { result, warnings }
}

const PASSING: readonly ErrorCode[] = [
  'network',
  'timeout',
  'rate_limited',
  'provider_failed',
  'invalid_answer',
  'store_unwritable',
  'store_busy',
]

describe('a token that lives although it could not be refreshed', () => {
  test.each(PASSING)('is handed out with one warning (%s)', async (code) => {
    const ports = new MemoryPorts(endingCredential())
    ports.faults.set('refresh', new AuthError(code, 'Not now.'))
    const { result, warnings } = asked(ports)
    expect(await result).toEqual({ stored: ports.stored, short: false })
    expect(warnings).toEqual(['Not now. The stored token still lives and is used.'])
  })

  test.each<ErrorCode>(['interrupted', 'terminated', 'store_corrupt', 'key_missing', 'usage'])(
    'is not handed out for a fault that stays (%s)',
    async (code) => {
      const ports = new MemoryPorts(endingCredential())
      ports.faults.set('refresh', new AuthError(code, 'Not at all.'))
      const { result, warnings } = asked(ports)
      expect(await rejected(result)).toMatchObject({ code, message: 'Not at all.' })
      expect(warnings).toEqual([])
    },
  )

  test('is not handed out for a bug', async () => {
    const ports = new MemoryPorts(endingCredential())
    const bug = new TypeError('undefined is not a function')
    ports.faults.set('refresh', bug)
    await expect(asked(ports).result).rejects.toBe(bug)
  })

  test('is the newer one when another process has refreshed meanwhile', async () => {
    const ports = new MemoryPorts(endingCredential())
    const newer = sampleCredential()
    ports.before.set('refresh', () => ports.replace(newer))
    ports.faults.set('refresh', new AuthError('timeout', 'Too late.'))
    expect(await asked(ports).result).toEqual({
      stored: { credential: newer, generation: 2 },
      short: false,
    })
  })

  test('is not handed out when the provider has refused the login meanwhile', async () => {
    const ports = new MemoryPorts(endingCredential())
    const dead = endingCredential(60, { refusal: { reason: 'revoked', at: NOW } })
    ports.before.set('refresh', () => ports.replace(dead))
    ports.faults.set('refresh', new AuthError('timeout', 'Too late.'))
    const { result, warnings } = asked(ports)
    expect(await rejected(result)).toMatchObject({ code: 'timeout' })
    expect(warnings).toEqual([])
  })

  test('is the one from before when nothing is stored any more', async () => {
    const ports = new MemoryPorts(endingCredential())
    const before = ports.stored
    ports.before.set('refresh', () => ports.replace(undefined))
    ports.faults.set('refresh', new AuthError('timeout', 'Too late.'))
    expect(await asked(ports).result).toEqual({ stored: before, short: false })
  })
})

test.each(PASSING)('a token that has ended is not handed out for a fault that passes (%s)', async (code) => {
  const ports = new MemoryPorts(endingCredential(0))
  ports.faults.set('refresh', new AuthError(code, 'Not now.'))
  const { result, warnings } = asked(ports)
  expect(await rejected(result)).toMatchObject({ code, message: 'Not now.' })
  expect(warnings).toEqual([])
})

test('what another process has refreshed meanwhile is taken, though it lives shorter than asked', async () => {
  const ports = new MemoryPorts(endingCredential(0))
  const newer = sampleCredential({ expiresAt: NOW + 120 })
  ports.before.set('lock', () => ports.replace(newer))
  expect(await asked(ports, { minTtl: 600 }).result).toEqual({
    stored: { credential: newer, generation: 2 },
    short: true,
  })
  expect(ports.journal).toEqual([])
})

test('an API key that another process has saved meanwhile is no refreshed token', async () => {
  const login = endingCredential()
  const ports = new MemoryPorts(login)
  ports.before.set('lock', () => ports.replace({ ...login, mintedApiKey: freshSecret('api_key') }))
  const { stored } = await asked(ports).result
  expect({
    generation: stored.generation,
    isNew: stored.credential.accessToken !== login.accessToken,
  }).toEqual({
    generation: 3,
    isNew: true,
  })
})

test('what another process has refreshed meanwhile is not taken when it has ended as well', async () => {
  const ports = new MemoryPorts(endingCredential(0))
  ports.before.set('lock', () => ports.replace(endingCredential(0)))
  expect(await asked(ports).result).toMatchObject({ stored: { generation: 3 } })
})

describe('a refreshed token', () => {
  test('is short when it lives shorter than asked', async () => {
    const ports = new MemoryPorts(endingCredential())
    expect(await asked(ports, { minTtl: 7200 }).result).toEqual({ stored: ports.stored, short: true })
  })

  test('is not short when nothing was asked', async () => {
    const ports = new MemoryPorts(endingCredential())
    ports.outcome = { kind: 'tokens', tokens: freshTokens({ expiresAt: NOW + 30 }) }
    expect(await asked(ports).result).toEqual({ stored: ports.stored, short: false })
  })
})

describe('without leave to refresh', () => {
  test.each([
    [60, undefined, false],
    [60, 30, false],
    [60, 90, true],
  ])('a token that lives %i s is handed out when %s s are asked', async (left, minTtl, short) => {
    const ports = new MemoryPorts(endingCredential(left))
    expect(await asked(ports, { minTtl, mayRefresh: false }).result).toEqual({ stored: ports.stored, short })
    expect(ports.journal).toEqual([])
  })

  test.each([
    ['short_lived', 'The access token has expired, and --no-refresh forbids to renew it.', {}],
    [
      'not_refreshable',
      'The access token has expired, and this login cannot be renewed.',
      { refreshToken: undefined },
    ],
  ])('one that has ended is not (%s)', async (code, message, changes) => {
    const ports = new MemoryPorts(endingCredential(0, changes))
    expect(await rejected(asked(ports, { mayRefresh: false }).result)).toMatchObject({ code, message })
    expect(ports.journal).toEqual([])
  })
})
