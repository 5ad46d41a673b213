import { describe, expect, test } from 'vitest'
import { verdictOf } from '../../../src/adapters/provider/verdict.ts'
import { AuthError } from '../../../src/errors.ts'
import { answer } from './answers.ts'

const PAGE = '<!doctype html><title>Just a moment...</title>'
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const bearer = (error: string) => ({ 'www-authenticate': `Bearer realm="x", error="${error}"` })

/** The verdict, or the code of the fault. `plan` is what is expected in a body. */
function judged(...given: Parameters<typeof answer>): string {
  try {
    return verdictOf(answer(...given), (body) => 'plan' in body)
  } catch (error) {
    if (error instanceof AuthError) return error.code
    throw error
  }
}

describe('the answer to a request with a token', () => {
  test.each([
    ['what was asked for', judged(200, { plan: 'plus' }), 'valid'],
    ['a JSON object of another place', judged(200, { status: 'ok' }), 'invalid_answer'],
    ["a captive portal's page", judged(200, PAGE, HTML), 'invalid_answer'],
    ['nothing', judged(200, ''), 'invalid_answer'],
    ['nothing, with 204', judged(204, ''), 'invalid_answer'],
    ['a redirect to a sign-in page', judged(302, '', { location: '/login' }), 'invalid_answer'],
    ['401 in JSON', judged(401, { detail: 'Unauthorized' }), 'refused'],
    ['401 with a code', judged(401, { error: { code: 'token_invalidated' } }), 'refused'],
    ['401 without a word', judged(401, '', { 'content-type': 'text/plain' }), 'refused'],
    ['401 that asks for a token', judged(401, PAGE, { ...HTML, ...bearer('invalid_token') }), 'refused'],
    ["401 and a gateway's page", judged(401, PAGE, HTML), 'provider_failed'],
    ['401 and a page without its type', judged(401, `\n${PAGE}`), 'provider_failed'],
    [
      '401 and a page of another type',
      judged(401, PAGE, { 'content-type': 'text/plain' }),
      'provider_failed',
    ],
    [
      '401 of a gateway that wants its own password',
      judged(401, {}, { 'www-authenticate': 'Basic realm="proxy"' }),
      'provider_failed',
    ],
    ['403 and a page', judged(403, PAGE, HTML), 'provider_failed'],
    ['403 for a reason that is not the token', judged(403, { error: 'blocked' }), 'provider_failed'],
    ['403 for the token', judged(403, { error: { code: 'account_deactivated' } }), 'refused'],
    ['403 for the token, by RFC 6750', judged(403, '', bearer('invalid_token')), 'refused'],
    ['403 for a scope, by RFC 6750', judged(403, '', bearer('insufficient_scope')), 'valid'],
    [
      "401 for a scope, in OpenAI's words",
      judged(401, { error: { message: 'Missing scopes: api.model.read.', code: null } }),
      'valid',
    ],
    ['an error of a word about scopes', judged(500, { error: 'insufficient_scope' }), 'provider_failed'],
    ['400', judged(400, { error: 'invalid_request' }), 'provider_failed'],
    ['404', judged(404, { detail: 'Not Found' }), 'provider_failed'],
    ['407', judged(407, PAGE, HTML), 'provider_failed'],
    ['429', judged(429, { error: { code: 'rate_limited' } }), 'rate_limited'],
    ['500', judged(500, { error: { code: 'token_invalidated' } }), 'provider_failed'],
    ['503', judged(503, ''), 'provider_failed'],
  ])('that is %s', (_, verdict, expected) => {
    expect(verdict).toBe(expected)
  })
})
