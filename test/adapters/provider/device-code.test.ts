import { describe, expect, it } from 'vitest'
import { deviceTerms, userCode, verificationPage } from '../../../src/adapters/provider/device-code.ts'
import { answer, dated, RECEIVED_AT } from './answers.ts'
import { told } from './faults.ts'

const HOST = 'auth.example.com'
const INTERVAL = 5
const LIFE = 900

function terms(body: Record<string, unknown>, headers: Record<string, string> = {}) {
  const { expiresAt, interval } = deviceTerms(body, answer(200, body, headers), RECEIVED_AT)
  return { lives: expiresAt - Math.floor(RECEIVED_AT), interval }
}

function fault(read: () => unknown) {
  return told(Promise.resolve().then(read))
}

describe('the time between two polls', () => {
  it.each<[unknown, number]>([
    ['5', 5],
    [' 7 ', 7],
    ['2.5', 2.5],
    [3, 3],
    [300, 300],
    ['0', 1],
    [0, 1],
    [0.2, 1],
  ])('is what is told: %j', (interval, seconds) => {
    expect(terms({ interval })).toEqual({ lives: LIFE, interval: seconds })
  })

  it.each([undefined, null, '', 'soon', '-1', -1, Number.NaN, 5000, '5000', Infinity, [5], '7s', '1e2'])(
    'is 5 seconds when it is told as %j',
    (interval) => {
      expect(terms({ interval })).toEqual({ lives: LIFE, interval: INTERVAL })
    },
  )
})

describe('the life of a device code', () => {
  it.each<[unknown, number]>([
    [60, 60],
    ['1800', 1800],
    [86_400, 86_400],
  ])('is what is told: %j', (expires_in, lives) => {
    expect(terms({ expires_in })).toEqual({ lives, interval: INTERVAL })
  })

  it.each([undefined, null, 0, -5, '', 'soon', 900_000, [60]])(
    'is a quarter of an hour when it is told as %j',
    (expires_in) => {
      expect(terms({ expires_in })).toEqual({ lives: LIFE, interval: INTERVAL })
    },
  )

  it.each([0, 7200, -7200])('may be told as a date, by a clock that is %i s ahead', (ahead) => {
    const end = new Date((Math.floor(RECEIVED_AT) + ahead + 600) * 1000).toISOString()
    expect(terms({ expires_at: end }, dated(ahead))).toEqual({ lives: 600, interval: INTERVAL })
    expect(terms({ expires_at: end.replace('Z', '+00:00') }, dated(ahead)).lives).toBe(600)
  })

  it('is counted by our own clock where the server tells no time', () => {
    const end = new Date((Math.floor(RECEIVED_AT) + 600) * 1000).toISOString()
    expect(terms({ expires_at: end })).toEqual({ lives: 600, interval: INTERVAL })
  })

  it.each([
    '2001-01-01T00:00:00Z',
    '2126-01-01T00:00:00Z',
    '2026-99-01T00:00:00Z',
    'tomorrow',
    1_790_000_600,
  ])('is a quarter of an hour when its end is told as %j', (expires_at) => {
    expect(terms({ expires_at })).toEqual({ lives: LIFE, interval: INTERVAL })
  })
})

describe('the code that a person is shown', () => {
  it.each(['WDJB-MJHT', '123 456', 'a', 'x'.repeat(64)])('may be %j', (code) => {
    expect(userCode(code, HOST)).toBe(code)
  })

  it.each([
    undefined,
    7,
    '',
    ' AB',
    'AB ',
    'A  B',
    'A\nB',
    'A\u{1b}[2JB',
    'A\u{202e}B',
    'А-Б',
    'x'.repeat(65),
  ])('is never %j', async (code) => {
    expect(await fault(() => userCode(code, HOST))).toEqual({
      code: 'invalid_answer',
      message: 'auth.example.com names no usable user code.',
      mayRetry: false,
    })
  })
})

describe('the address that a person is shown', () => {
  it.each([
    ['https://example.com/device', 'https://example.com/device'],
    ['https://example.com/device?code=AB-CD', 'https://example.com/device?code=AB-CD'],
    ['https://example.com/#/device', 'https://example.com/#/device'],
    ['http://127.0.0.1:4000/device', 'http://127.0.0.1:4000/device'],
    ['http://localhost:4000/device', 'http://localhost:4000/device'],
    // What looks like another host shows that it is none.
    ['https://еxample.com/gerät', 'https://xn--xample-2of.com/ger%C3%A4t'],
  ])('may be %j', (address, shown) => {
    expect(verificationPage(address, HOST)).toBe(shown)
  })

  it.each([
    undefined,
    7,
    '',
    '/device',
    'http://example.com/device',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://auth.openai.com@example.com/device',
    'https://example.com/de vice',
    'https://example.com/\u{1b}[2J',
    'https://example.com/\u{202e}device',
    'https://example.com/de\nvice',
    '\u{0}https://example.com/',
    `https://example.com/${'x'.repeat(2048)}`,
  ])('is never %j', async (address) => {
    expect(await fault(() => verificationPage(address, HOST))).toEqual({
      code: 'invalid_answer',
      message: 'auth.example.com names no usable verification address.',
      mayRetry: false,
    })
  })
})
