import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseUsage } from '../../src/core/usage.ts'

const NOW = 1_790_000_000

const WHOLE = {
  plan_type: 'plus',
  rate_limit: {
    allowed: true,
    limit_reached: false,
    primary_window: { used_percent: 42, limit_window_seconds: 18_000, reset_after_seconds: 60, reset_at: 1 },
    secondary_window: { used_percent: 15, limit_window_seconds: 604_800, reset_at: NOW + 90 },
  },
  code_review_rate_limit: { allowed: false, primary_window: null },
  additional_rate_limits: [
    {
      limit_name: 'GPT-5 Spark',
      metered_feature: 'spark',
      rate_limit: {
        limit_reached: true,
        primary_window: { used_percent: 100, limit_window_seconds: 86_400 },
      },
    },
    { metered_feature: 'images', rate_limit: {} },
    { rate_limit: {} },
    { limit_name: 'nothing', rate_limit: null },
  ],
  credits: { has_credits: true, unlimited: false, balance: '12.34', approx_local_messages: [1, 2] },
  spend_control: {
    reached: false,
    individual_limit: { source: 'x', limit: '100', used: 25.5, used_percent: 25, reset_after_seconds: 3600 },
  },
  rate_limit_reached_type: { type: 'workspace_owner_credits_depleted' },
  rate_limit_upsell: { anything: 'else' },
}

/** The windows of the plan's own limit. */
function windowsOf(rateLimit: object) {
  return parseUsage({ plan_type: 'plus', rate_limit: rateLimit }, NOW)?.limits[0]?.windows
}

describe('a usage answer', () => {
  test('is read whole', () => {
    expect(parseUsage(WHOLE, NOW + 0.9)).toEqual({
      plan: 'plus',
      reachedType: 'workspace_owner_credits_depleted',
      limits: [
        {
          name: undefined,
          reached: false,
          windows: [
            { length: 18_000, usedPercent: 42, resetsAt: NOW + 60 },
            { length: 604_800, usedPercent: 15, resetsAt: NOW + 90 },
          ],
        },
        { name: 'code review', reached: true, windows: [] },
        {
          name: 'GPT-5 Spark',
          reached: true,
          windows: [{ length: 86_400, usedPercent: 100, resetsAt: undefined }],
        },
        { name: 'images', reached: undefined, windows: [] },
        { name: 'another limit', reached: undefined, windows: [] },
      ],
      credits: { available: true, unlimited: false, balance: '12.34' },
      spendControl: { reached: false, usedPercent: 25, used: '25.5', limit: '100', resetsAt: NOW + 3600 },
    })
  })

  test('may be nothing but a plan', () => {
    const bare = {
      plan: 'free',
      reachedType: undefined,
      limits: [],
      credits: undefined,
      spendControl: undefined,
    }
    const nulls = { rate_limit: null, additional_rate_limits: null, credits: null, spend_control: null }
    expect(parseUsage({ plan_type: 'free' }, NOW)).toEqual(bare)
    expect(parseUsage({ plan_type: 'free', ...nulls }, NOW)).toEqual(bare)
    expect(parseUsage(nulls, NOW)).toEqual({ ...bare, plan: undefined })
  })

  test.each([{}, { ok: true }, { plan_type: Infinity }, [], 'plus', null, undefined, 5])(
    'is not %j',
    (value) => {
      expect(parseUsage(value, NOW)).toBeUndefined()
    },
  )

  test('has its windows by length, whatever they are called', () => {
    const windows = windowsOf({
      primary_window: { limit_window_seconds: 604_800 },
      later_window: {},
      secondary_window: { limit_window_seconds: 18_000 },
      window: { limit_window_seconds: 1 },
    })
    expect(windows?.map(({ length }) => length)).toEqual([18_000, 604_800, undefined])
  })

  test.each([
    [42, 42],
    [42.5, 42.5],
    ['42.5', 42.5],
    [' 42 % ', 42],
    [130, 130],
    [-1, 0],
    ['', undefined],
    ['much', undefined],
    ['1e9', undefined],
    [1e300, undefined],
    [null, undefined],
    [true, undefined],
    [[42], undefined],
  ])('that has %j used is read as %j', (written, percent) => {
    expect(windowsOf({ primary_window: { used_percent: written } })?.[0]?.usedPercent).toBe(percent)
  })

  test('that tells when counting begins anew in milliseconds tells nothing of it', () => {
    expect(windowsOf({ primary_window: { reset_at: 1_790_000_000_000 } })?.[0]?.resetsAt).toBeUndefined()
  })

  test('cannot steer a terminal, whatever its texts hold', () => {
    const evil = '\u001b]0;owned\u0007\u009b31m\u202egpj.exe\r\n\tx\u200b'
    const usage = parseUsage(
      {
        plan_type: evil,
        rate_limit_reached_type: evil,
        additional_rate_limits: [{ limit_name: evil, rate_limit: {} }],
        credits: { balance: evil },
        spend_control: { individual_limit: { used: evil, limit: evil } },
      },
      NOW,
    )
    const clean = ']0;owned 31m gpj.exe x'
    expect(usage).toMatchObject({
      plan: clean,
      reachedType: clean,
      limits: [{ name: clean }],
      credits: { balance: clean },
      spendControl: { used: clean, limit: clean },
    })
  })

  test('has no text that fills a screen', () => {
    expect(parseUsage({ plan_type: `${'😀'.repeat(59)}abc` }, NOW)?.plan).toBe(`${'😀'.repeat(59)}a`)
  })

  test('never fails, and never has a number that is none', () => {
    const field = fc.oneof(fc.jsonValue(), fc.double(), fc.string({ unit: 'binary' }))
    const window = fc.dictionary(
      fc.constantFrom('used_percent', 'limit_window_seconds', 'reset_at', 'reset_after_seconds'),
      field,
    )
    const limit = fc.dictionary(
      fc.constantFrom('primary_window', 'a_window', 'allowed'),
      fc.oneof(window, field),
    )
    fc.assert(
      fc.property(fc.oneof(limit, field), field, (rateLimit, rest) => {
        const usage = parseUsage({ rate_limit: rateLimit, credits: rest, spend_control: rest }, NOW)
        for (const each of usage?.limits[0]?.windows ?? []) {
          for (const value of Object.values(each)) expect(value ?? 0).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})
