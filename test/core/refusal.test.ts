import { describe, expect, test } from 'vitest'
import { refusedError } from '../../src/core/refusal.ts'
import { described } from '../support/thrown.ts'

const at = Date.UTC(2026, 10, 22, 10, 0, 5) / 1000

function refused(message: string) {
  return { code: 'refresh_refused', exitCode: 4, message, nextStep: 'codex-auth login' }
}

describe('a login the provider has refused to renew', () => {
  test.each([
    ['expired', 'its refresh token has expired'],
    ['reused', 'its refresh token had already been used'],
    ['revoked', 'its refresh token was revoked'],
    ['rejected', 'its refresh token was rejected'],
  ] as const)('is reported as %s, with the time', (reason, why) => {
    expect(described(refusedError({ reason, at: at + 0.75 }))).toEqual(
      refused(`The provider does not renew this login any more: ${why} (2026-11-22T10:00:05Z).`),
    )
  })

  test.each([
    { pid: 4711, who: 'An earlier process (pid 4711)' },
    { pid: undefined, who: 'An earlier process' },
  ])('is explained by the process $pid that died while it was spending the same token', ({ pid, who }) => {
    expect(described(refusedError({ reason: 'reused', at }, { pid, since: at - 4.5 }))).toEqual(
      refused(
        'The provider does not renew this login any more: its refresh token had already been used (2026-11-22T10:00:05Z). ' +
          `${who} was ended after 2026-11-22T10:00:00Z, while the provider's answer was on its way.`,
      ),
    )
  })
})
