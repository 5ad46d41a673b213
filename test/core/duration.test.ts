import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../src/core/duration.ts'
import { thrown } from '../support/thrown.ts'

describe('a duration on the command line', () => {
  test.each([
    ['0', 0],
    ['90', 90],
    ['090', 90],
    ['90s', 90],
    ['30m', 1800],
    ['12h', 43_200],
    ['7d', 604_800],
    ['999999999', 999_999_999],
    ['999999999d', 86_399_999_913_600],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds)
  })

  test.each([
    '',
    ' ',
    's',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '5 m',
    '5M',
    '5ms',
    '1h30m',
    '90s\n',
    '1234567890',
    '٣',
  ])('%j is none', (text) => {
    expect(thrown(() => parseDuration(text))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: `${JSON.stringify(text)} is not a duration.`,
      nextStep: 'write seconds, or a number with a unit: 90, 90s, 30m, 12h, 7d',
    })
  })

  test('is quoted only at its beginning when it is none', () => {
    expect(thrown(() => parseDuration('9'.repeat(1000))).message).toBe(
      `"${'9'.repeat(40)}" is not a duration.`,
    )
  })
})

describe('a duration for people', () => {
  test.each([
    [0, '0 s'],
    [0.9, '0 s'],
    [-5, '0 s'],
    [1, '1 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [359, '5 min'],
    [3600, '1 h'],
    [3659, '1 h 1 min'],
    [7500, '2 h 5 min'],
    [86_399, '1 d'],
    [86_400, '1 d'],
    [86_400 + 59 * 60, '1 d'],
    [9 * 86_400 + 3 * 3600 + 59, '9 d 3 h'],
    [400 * 86_400, '400 d'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  test('is never wrong by more than the unit that is left out, and never more than there is below ten minutes', () => {
    const UNITS: Record<string, number> = { d: 86_400, h: 3600, min: 60, s: 1 }
    const seconds = fc.oneof(fc.nat(600), fc.nat(100_000), fc.nat(1e8))
    fc.assert(
      fc.property(seconds, (given) => {
        const parts = formatDuration(given)
          .split(/ (?=\d)/)
          .map((part) => part.split(' '))
        const shown = parts.reduce((sum, [count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
        const rounding = given < 600 ? 0 : 30
        const leftOut = parts[0]?.[1] === 'd' ? 3600 : 60
        expect(shown - given).toBeLessThanOrEqual(rounding)
        expect(given - shown).toBeLessThan(leftOut + rounding)
      }),
    )
  })
})
