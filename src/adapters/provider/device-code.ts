import type { DeviceAuthorization } from '../../core/ports.ts'
import { isSafeAddress } from '../../core/safe-address.ts'
import { AuthError } from '../../errors.ts'
import { errorCode } from './error-answer.ts'
import { httpDate } from './http-date.ts'
import type { HttpAnswer } from './http.ts'
import { PassingFault } from './passing-fault.ts'

type Body = Readonly<Record<string, unknown>>

/** Seconds between two polls where nothing usable is said (RFC 8628, section 3.2). */
const USUAL_INTERVAL = 5

/** Seconds. An interval beyond this is a mistake, such as milliseconds. */
const LONGEST_INTERVAL = 300

/** Seconds that a code lives where nothing usable is said: OpenAI's fixed time. */
const USUAL_LIFE = 15 * 60

/** Seconds. A life beyond this is a mistake. */
const LONGEST_LIFE = 86_400

const LONGEST_USER_CODE = 64
const LONGEST_ADDRESS = 2048
const LONGEST_DEVICE_CODE = 8192

/**
 * How long a device code lives and how often to ask for it, which are numbers or digits. `now`: epoch seconds.
 * An end that is told as a date is by the server's own clock.
 */
export function deviceTerms(
  body: Body,
  { headers }: HttpAnswer,
  now: number,
): Pick<DeviceAuthorization, 'expiresAt' | 'interval'> {
  const told = seconds(body['expires_in']) ?? secondsUntil(body['expires_at'], httpDate(headers.date) ?? now)
  const life = told !== undefined && told > 0 && told <= LONGEST_LIFE ? told : USUAL_LIFE
  const interval = seconds(body['interval']) ?? USUAL_INTERVAL
  return {
    expiresAt: Math.floor(now + life),
    interval: interval > LONGEST_INTERVAL ? USUAL_INTERVAL : Math.max(1, interval),
  }
}

/** The secret half of the two codes. @throws {PassingFault} `invalid_answer`. */
export function deviceCode(value: unknown, host: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_DEVICE_CODE) return value
  throw unusable(host, 'device code')
}

/**
 * The half that a person reads on a terminal and types elsewhere: a short line of printable ASCII.
 * @throws {PassingFault} `invalid_answer`.
 */
export function userCode(value: unknown, host: string): string {
  const isShort = typeof value === 'string' && value.length <= LONGEST_USER_CODE
  if (isShort && /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(value)) return value
  throw unusable(host, 'user code')
}

/**
 * The page where a person enters the code, in printable ASCII: https, or http on a loopback address.
 * @throws {PassingFault} `invalid_answer`.
 */
export function verificationPage(value: unknown, host: string): string {
  // The URL parser drops some control characters, so it is not the first to look.
  if (typeof value !== 'string' || /[\p{C}\s]/u.test(value)) throw unusable(host, 'verification address')
  const [beforeFragment = ''] = value.split('#', 1)
  const address = isSafeAddress(beforeFragment) ? new URL(value).href : ''
  if (address === '' || address.length > LONGEST_ADDRESS) throw unusable(host, 'verification address')
  return address
}

/**
 * What an answer without tokens says of the person (RFC 8628, section 3.5), whatever its status: large providers differ in
 * it. `undefined`: nothing.
 * @throws {AuthError} `login_denied`; `login_timeout` when the code has expired.
 */
export function waitingAnswer(answer: HttpAnswer): 'pending' | 'slow_down' | undefined {
  if (answer.status >= 500) return undefined
  switch (errorCode(answer)?.toLowerCase() ?? '') {
    case 'authorization_pending':
    // OpenAI's own word.
    case 'deviceauth_authorization_pending':
      return 'pending'
    case 'slow_down':
      return 'slow_down'
    case 'access_denied':
    // Microsoft's own word.
    case 'authorization_declined':
      throw new AuthError('login_denied', 'The sign-in was denied.')
    case 'expired_token':
      throw new AuthError('login_timeout', 'The code ended before the sign-in was finished.')
    default:
      return undefined
  }
}

function seconds(value: unknown): number | undefined {
  const isDigits = typeof value === 'string' && /^\s*\d{1,9}(?:\.\d{1,9})?\s*$/.test(value)
  const found = isDigits ? Number(value) : value
  return typeof found === 'number' && found >= 0 ? found : undefined
}

function secondsUntil(date: unknown, now: number): number | undefined {
  // `Date.parse` alone makes a date of almost anything.
  if (typeof date !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)$/.test(date))
    return undefined
  const milliseconds = Date.parse(date)
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000 - now
}

function unusable(host: string, what: string): PassingFault {
  return new PassingFault('invalid_answer', `${host} names no usable ${what}.`)
}
