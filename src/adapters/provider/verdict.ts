import type { Verdict } from '../../core/ports.ts'
import { errorCode, passingFault } from './error-answer.ts'
import type { HttpAnswer } from './http.ts'
import { asObject, jsonObject } from './json-object.ts'

type Body = Readonly<Record<string, unknown>>

/** Words that, even with a 403, are about the token and not about what it may do. */
const REFUSED: ReadonlySet<string> = new Set([
  'invalid_token',
  'token_expired',
  'token_invalid',
  'token_invalidated',
  'token_revoked',
  'invalid_api_key',
  'account_deactivated',
])

/**
 * What the answer to a request with a bearer token says of that token (RFC 6750, section 3). A token that may not do
 * just this is a valid one.
 * @param isExpected whether a successful answer's body is this endpoint's, and not a captive portal's.
 * @throws {PassingFault} for whatever says nothing of the token.
 */
export function verdictOf(answer: HttpAnswer, isExpected: (body: Body) => boolean): Verdict {
  const body = jsonObject(answer.body)
  if (answer.status === 200 && body !== undefined && isExpected(body)) return 'valid'
  if (lacksScope(answer)) return 'valid'
  if (refusesToken(answer)) return 'refused'
  throw passingFault(answer)
}

function refusesToken(answer: HttpAnswer): boolean {
  const { status, headers } = answer
  const challenge = headers['www-authenticate']
  if (status === 401) {
    // A gateway that wants its own password says so; one that says nothing sends a page.
    return challenge === undefined ? !isPage(answer) : /\bbearer\b/i.test(challenge)
  }
  return status === 403 && wordsOf(answer).some((word) => REFUSED.has(word))
}

/** OpenAI has no code for it, and sends it with 401 as well. */
function lacksScope(answer: HttpAnswer): boolean {
  if (answer.status !== 401 && answer.status !== 403) return false
  const message = asObject(jsonObject(answer.body)?.['error'])?.['message']
  return (
    wordsOf(answer).includes('insufficient_scope') ||
    (typeof message === 'string' && /\bmissing scopes?:/i.test(message))
  )
}

/** The error's codes, of the body and of the challenge. */
function wordsOf(answer: HttpAnswer): string[] {
  const challenged = /\berror="?([\w.-]{1,64})/.exec(answer.headers['www-authenticate'] ?? '')?.[1]
  return [errorCode(answer), challenged].filter((word) => word !== undefined)
}

/** Some gateways send theirs without its type, or under another. */
function isPage({ headers, body }: HttpAnswer): boolean {
  return /^(?:text\/html|application\/xhtml)\b/i.test(headers['content-type'] ?? '') || /^\s*</.test(body)
}
