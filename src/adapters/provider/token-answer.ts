import type { Account } from '../../core/credential.ts'
import type { RefreshOutcome, Tokens } from '../../core/ports.ts'
import { AuthError } from '../../errors.ts'
import { errorCode, passingFault, refusalReason } from './error-answer.ts'
import { httpDate } from './http-date.ts'
import type { HttpAnswer } from './http.ts'
import { jsonObject } from './json-object.ts'
import { claimsOf } from './json-web-token.ts'

/** Characters of any one value: more than any provider's, and few enough for a header and for the store. */
const VALUE_LIMIT = 64 * 1024

/** Seconds. An expiry further away than this is a mistake, such as milliseconds. */
const LONGEST_LIFE = 10 * 365 * 86_400

/** Seconds by which two clocks differ before it matters. */
const CLOCKS_AGREE = 60

const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429])
const PASSING_CODES: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable', 'slow_down'])

/**
 * What the token endpoint's answer to a refresh means. `receivedAt`: epoch seconds by this machine's clock.
 * An answer with a usable access token is never thrown away, whatever else is odd in it.
 * @throws {PassingFault} `rate_limited`, `provider_failed` or `invalid_answer`; the refresh token may be good still.
 */
export function refreshOutcome(answer: HttpAnswer, receivedAt: number): RefreshOutcome {
  const tokens = tokensIn(answer, receivedAt)
  if (tokens !== undefined) return { kind: 'tokens', tokens }
  const reason = refusalReason(answer)
  if (reason !== undefined) return { kind: 'refused', reason }
  throw passingFault(answer)
}

/** The outcome with the account that its tokens name. */
export function withAccount(
  outcome: RefreshOutcome,
  read: (tokens: Tokens) => Account | undefined,
): RefreshOutcome {
  if (outcome.kind === 'refused') return outcome
  return { kind: 'tokens', tokens: { ...outcome.tokens, account: read(outcome.tokens) } }
}

/**
 * What the token endpoint's answer to an authorization code means, as {@link refreshOutcome}.
 * @throws {AuthError} `login_failed` when the provider says why it does not accept this request.
 * @throws {PassingFault} otherwise.
 */
export function exchangedTokens(answer: HttpAnswer, receivedAt: number): Tokens {
  const tokens = tokensIn(answer, receivedAt)
  if (tokens === undefined) throw refusalOrFault(answer, 'the authorization code')
  return tokens
}

/**
 * What an answer without the wanted content means for a sign-in: `login_failed` when the provider says why it does not
 * accept `what`, a passing fault otherwise.
 */
export function refusalOrFault(answer: HttpAnswer, what: string): AuthError {
  const { host, status } = answer
  const code = errorCode(answer)
  const isPassing = isPassingStatus(status) || (code !== undefined && PASSING_CODES.has(code))
  if (code === undefined || status < 400 || status >= 500 || isPassing) return passingFault(answer)
  return new AuthError('login_failed', `${host} did not accept ${what} (${code}).`)
}

/** Whether a 4xx is about the moment, not about the request. */
export function isPassingStatus(status: number): boolean {
  return PASSING_STATUS.has(status)
}

/**
 * The tokens of a successful answer (RFC 6749, section 5.1), judged by its content: the media type it comes under is
 * not looked at. An optional value that is not what it should be counts as absent. `undefined`: no usable access token.
 * `expiresAt` is by this machine's clock, whichever clock it was told by.
 */
export function tokensIn(answer: HttpAnswer, receivedAt: number): Tokens | undefined {
  if (answer.status < 200 || answer.status > 299) return undefined
  const body = jsonObject(answer.body)
  const accessToken = word(body?.['access_token'])
  if (body === undefined || accessToken === undefined) return undefined
  const byLifetime = endByLifetime(body['expires_in'], receivedAt)
  const told = secondsAhead(answer, receivedAt)
  const ends = endByClaim(accessToken, receivedAt + told)
  // Where the token's own end and its lifetime agree without a correction, it is the answer's date that is wrong.
  const isDateWrong =
    ends !== undefined && byLifetime !== undefined && Math.abs(ends - byLifetime) <= CLOCKS_AGREE
  const ahead = isDateWrong ? 0 : told
  return {
    accessToken,
    tokenType: tokenType(body['token_type']),
    refreshToken: text(body['refresh_token']),
    idToken: text(body['id_token']),
    expiresAt: ends === undefined ? byLifetime : ends - ahead,
    scopes: scopes(body['scope']),
    account: undefined,
    clockSkew: ahead,
  }
}

/** A value that goes into a header and onto a line of its own: printable ASCII without spaces. */
function word(value: unknown): string | undefined {
  const found = text(value)
  return found !== undefined && /^[\x21-\x7e]+$/.test(found) ? found : undefined
}

function text(value: unknown): string | undefined {
  const isText = typeof value === 'string' && value !== '' && value.length <= VALUE_LIMIT
  return isText ? value : undefined
}

/** Compared without case (RFC 6749, section 5.1). A server that says nothing means the only usual type. */
function tokenType(value: unknown): string {
  const type = word(value)
  return type === undefined || type.length > 64 || type.toLowerCase() === 'bearer' ? 'Bearer' : type
}

function scopes(value: unknown): readonly string[] | undefined {
  const found = text(value)
    ?.split(' ')
    .filter((scope) => scope !== '')
  return found === undefined || found.length === 0 ? undefined : found
}

/** Whole seconds from this machine's clock to the server's `Date`; 0 when they agree within a minute. */
function secondsAhead({ headers }: HttpAnswer, receivedAt: number): number {
  const ahead = Math.round((httpDate(headers.date) ?? receivedAt) - receivedAt)
  return Math.abs(ahead) > CLOCKS_AGREE ? ahead : 0
}

/** The access token's own `exp`, by the server's clock. `undefined`: opaque, or its `exp` is no sensible time. */
function endByClaim(accessToken: string, serverTime: number): number | undefined {
  const exp = claimsOf(accessToken)?.['exp']
  if (typeof exp !== 'number' || exp <= 0 || exp > serverTime + LONGEST_LIFE) return undefined
  return Math.floor(exp)
}

/** `expires_in` counts from the answer on, so no clock but this machine's is part of it. Some servers send digits. */
function endByLifetime(value: unknown, receivedAt: number): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > LONGEST_LIFE) return undefined
  return Math.floor(receivedAt + seconds)
}
