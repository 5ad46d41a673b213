import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Credential } from '../../src/core/credential.ts'
import {
  EXPIRING,
  isDueForRefresh,
  isLiving,
  isUsableAsIs,
  livesFor,
  remaining,
} from '../../src/core/lifetime.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'

function living(seconds: number | undefined, changes: Partial<Credential> = {}): Credential {
  return sampleCredential({ expiresAt: seconds === undefined ? undefined : NOW + seconds, ...changes })
}

describe('how long an access token lives', () => {
  test.each([
    { left: 3600, told: 3600 },
    { left: 0.25, told: 0.25 },
    { left: 0, told: 0 },
    { left: -90, told: -90 },
    { left: undefined, told: undefined },
  ])('is $told seconds when it ends in $left', ({ left, told }) => {
    expect(remaining(living(left), NOW)).toBe(told)
  })

  test.each([
    { left: 300, minTtl: 300, lives: true },
    { left: 299.5, minTtl: 300, lives: false },
    { left: 1, minTtl: 0, lives: true },
    { left: 0.25, minTtl: 0, lives: true },
    { left: 0, minTtl: 0, lives: false },
    { left: -1, minTtl: 0, lives: false },
    { left: -1, minTtl: -10, lives: false },
    { left: undefined, minTtl: 1e9, lives: true },
  ])('is enough for $minTtl seconds with $left left: $lives', ({ left, minTtl, lives }) => {
    expect(livesFor(living(left), NOW, minTtl)).toBe(lives)
  })

  test('is over in the very second in which it ends', () => {
    expect([1, 0, -1].map((left) => isLiving(living(left), NOW))).toEqual([true, false, false])
  })

  test('counts as short below five minutes', () => {
    expect(EXPIRING).toBe(300)
  })
})

describe('a refresh', () => {
  test.each([
    { left: undefined, minTtl: 300, due: false, because: 'nobody knows when it ends' },
    { left: 300, minTtl: 300, due: false, because: 'it lives long enough' },
    { left: 299, minTtl: 300, due: true, because: 'it is about to end' },
    { left: 0, minTtl: 0, due: true, because: 'it has ended' },
    { left: -5, minTtl: 300, due: true, because: 'it has ended' },
  ])('is due ($due) with $left s left and $minTtl s asked, since $because', ({ left, minTtl, due }) => {
    expect(isDueForRefresh(living(left, { obtainedAt: NOW - 7200 }), NOW, minTtl)).toBe(due)
  })

  test.each([
    { age: 0, due: false },
    { age: 5.9, due: false },
    { age: 6, due: true },
    { age: 59, due: true },
    { age: 60, due: true },
  ])(
    'of a token that lives a minute is due ($due) at the age of $age s when an hour is asked',
    ({ age, due }) => {
      const credential = sampleCredential({ obtainedAt: NOW - age, expiresAt: NOW - age + 60 })
      expect(isDueForRefresh(credential, NOW, 3600)).toBe(due)
    },
  )

  test('of a token that lives exactly as long as is asked is due from its first second', () => {
    const credential = sampleCredential({ obtainedAt: NOW - 1, expiresAt: NOW + 3599 })
    expect(isDueForRefresh(credential, NOW, 3600)).toBe(true)
  })

  test('counts the life of a token from its own refresh, not from the sign-in', () => {
    const refreshed = { obtainedAt: NOW - 86_400, refreshedAt: NOW - 1, expiresAt: NOW + 59 }
    expect(isDueForRefresh(sampleCredential(refreshed), NOW, 3600)).toBe(false)
  })

  test('is never asked for twice in a row by a provider whose tokens are shorter than asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: 1, max: 100_000 }), (life, minTtl) => {
        const fresh = sampleCredential({ obtainedAt: NOW, expiresAt: NOW + life })
        expect(isDueForRefresh(fresh, NOW, minTtl)).toBe(false)
      }),
    )
  })

  test('is never left out for a token that has ended', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 0 }), fc.nat(1e6), fc.nat(1e6), (left, age, minTtl) => {
        const ended = living(left, { obtainedAt: NOW - age })
        expect(isDueForRefresh(ended, NOW, minTtl)).toBe(true)
      }),
    )
  })
})

test.each([
  { left: 300, refusal: undefined, usable: true },
  { left: 299, refusal: undefined, usable: false },
  { left: undefined, refusal: undefined, usable: true },
  { left: 300, refusal: { reason: 'reused', at: NOW } as const, usable: false },
])('a token with $left s left and refusal $refusal.reason is handed out as it is: $usable', (row) => {
  expect(isUsableAsIs(living(row.left, { refusal: row.refusal }), NOW, 300)).toBe(row.usable)
})
