import { describe, expect, test } from 'vitest'
import { timestamp } from '../../src/core/timestamp.ts'

describe('a time', () => {
  test.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_790_000_000.999, '2026-09-21T14:13:20Z'],
    [253_402_300_799, '9999-12-31T23:59:59Z'],
  ])('%d is written as %s', (seconds, text) => {
    expect(timestamp(seconds)).toBe(text)
  })

  test.each([undefined, Number.NaN, 253_402_300_800, -62_167_219_201, 1e300])(
    'that RFC 3339 cannot write (%s) is null',
    (seconds) => {
      expect(timestamp(seconds)).toBeNull()
    },
  )
})
