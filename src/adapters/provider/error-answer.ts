import type { RefusalReason } from '../../core/credential.ts'
import { httpDate } from './http-date.ts'
import type { HttpAnswer } from './http.ts'
import { asObject, jsonObject } from './json-object.ts'
import { PassingFault } from './passing-fault.ts'

/** OpenAI's own words for a refresh token that will never work again, whatever the status they come with. */
const DEFINITE: Readonly<Record<string, RefusalReason>> = {
  refresh_token_expired: 'expired',
  refresh_token_reused: 'reused',
  refresh_token_invalidated: 'revoked',
}

const DESCRIBED: readonly (readonly [RefusalReason, RegExp])[] = [
  ['expired', /\bexpired\b/i],
  ['reused', /\b(reused?|already (been )?used)\b/i],
  ['revoked', /\b(revoked|invalidated)\b/i],
]

/**
 * Why the refresh token will never work again, as far as the answer says so for certain: a code that means nothing
 * else, or `invalid_grant` (RFC 6749, section 5.2) with 400 or 401. `undefined`: it does not; any other answer passes.
 */
export function refusalReason(answer: HttpAnswer): RefusalReason | undefined {
  const codes = codesIn(answer).map((code) => code.toLowerCase())
  const definite = codes.find((code) => Object.hasOwn(DEFINITE, code))
  if (definite !== undefined) return DEFINITE[definite]
  const isGrantError = (answer.status === 400 || answer.status === 401) && codes.includes('invalid_grant')
  return isGrantError ? describedReason(answer) : undefined
}

/** The provider's word for what went wrong. `undefined`: none, or one that may not be shown. */
export function errorCode(answer: HttpAnswer): string | undefined {
  return codesIn(answer).find(isShowableCode)
}

/** Whether a code is one, and not a text or a secret under its name. */
export function isShowableCode(code: string): boolean {
  return /^[a-z0-9_.-]{1,64}$/i.test(code)
}

/** An answer that is no success, and no refusal either. */
export function passingFault(answer: HttpAnswer): PassingFault {
  const { host, status } = answer
  const retryAfter = secondsToWait(answer)
  const code = errorCode(answer)
  const what = `${host} answered ${status}${code === undefined ? '' : ` (${code})`}`
  if (status === 429) {
    const wait = retryAfter === undefined ? '' : ` for ${retryAfter} s`
    return new PassingFault('rate_limited', `${what}: no more requests${wait}.`, {
      mayRetry: true,
      retryAfter,
    })
  }
  if (status >= 300 && status < 400) {
    return new PassingFault('invalid_answer', `${what}, a redirect, which is never followed.`)
  }
  if (status < 300) return new PassingFault('invalid_answer', `${what} with ${contentOf(answer)}.`)
  return new PassingFault('provider_failed', `${what}.`, { mayRetry: status === 503, retryAfter })
}

function contentOf(answer: HttpAnswer): string {
  if (jsonObject(answer.body) !== undefined) return 'nothing of what was asked for'
  const type = /^[\w.+-]{1,40}\/[\w.+-]{1,40}/.exec(answer.headers['content-type'] ?? '')?.[0]
  return type === undefined || /json$/i.test(type)
    ? 'something that is not JSON'
    : `${type}, which is not JSON`
}

/** `error` is a word by the RFC, an object with a `code` at OpenAI, where the code can also stand at the top. */
function codesIn(answer: HttpAnswer): string[] {
  const body = jsonObject(answer.body)
  const candidates = [body?.['error'], asObject(body?.['error'])?.['code'], body?.['code']]
  return candidates.filter((candidate) => typeof candidate === 'string')
}

/** `invalid_grant` alone does not tell why; a description that can only mean one thing does. */
function describedReason(answer: HttpAnswer): RefusalReason {
  const body = jsonObject(answer.body)
  const description = body?.['error_description'] ?? asObject(body?.['error'])?.['message']
  if (typeof description !== 'string' || /\b(or|not|maximum)\b/i.test(description)) return 'rejected'
  const meant = DESCRIBED.filter(([, pattern]) => pattern.test(description))
  return meant.length === 1 && meant[0] !== undefined ? meant[0][0] : 'rejected'
}

/** `Retry-After` is seconds, or a date by the server's own clock. */
function secondsToWait({ headers }: HttpAnswer): number | undefined {
  const text = headers['retry-after']?.trim()
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text)
  const [then, now] = [httpDate(text), httpDate(headers.date)]
  return then === undefined || now === undefined ? undefined : Math.max(0, then - now)
}
