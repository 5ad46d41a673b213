import { describe, expect, it } from 'vitest'
import { exchangedTokens, refreshOutcome } from '../../../src/adapters/provider/token-answer.ts'
import type { HttpAnswer } from '../../../src/adapters/provider/http.ts'
import { answer, dated, RECEIVED_AT } from './answers.ts'
import { told, type Told } from './faults.ts'

const PAGE = '<!doctype html><title>Just a moment...</title>'
const HTML = { 'content-type': 'text/html; charset=utf-8' }

const refreshed = async (given: HttpAnswer): Promise<unknown> => refreshOutcome(given, RECEIVED_AT)
const exchanged = async (given: HttpAnswer): Promise<unknown> => exchangedTokens(given, RECEIVED_AT)

function passing(code: string, message: string, mayRetry = false, retryAfter?: number): Told {
  return { code, message, mayRetry, ...(retryAfter !== undefined && { retryAfter }) }
}

describe('a definite refusal of the refresh token', () => {
  it.each([
    ['refresh_token_expired', 'expired'],
    ['refresh_token_reused', 'reused'],
    ['refresh_token_invalidated', 'revoked'],
    ['Refresh_Token_Reused', 'reused'],
  ])('is %s, with any status and in any place', async (code, reason) => {
    const refused = { kind: 'refused', reason }
    for (const status of [200, 400, 401, 403, 500]) {
      expect(await refreshed(answer(status, { error: code }))).toEqual(refused)
      expect(await refreshed(answer(status, { error: { code, message: 'no' } }))).toEqual(refused)
      expect(await refreshed(answer(status, { code }))).toEqual(refused)
      expect(await refreshed(answer(status, { error: { code: null, type: 'x' }, code }))).toEqual(refused)
    }
  })

  it.each([400, 401])('is invalid_grant with %i', async (status) => {
    const refused = { kind: 'refused', reason: 'rejected' }
    expect(await refreshed(answer(status, { error: 'invalid_grant' }))).toEqual(refused)
    expect(await refreshed(answer(status, { error: 'INVALID_GRANT' }))).toEqual(refused)
    expect(await refreshed(answer(status, { error: { code: 'invalid_grant' } }))).toEqual(refused)
    expect(
      await refreshed(answer(status, { error: 'invalid_grant' }, { 'content-type': 'text/plain' })),
    ).toEqual(refused)
  })

  it.each([
    ['The refresh token has expired.', 'expired'],
    ['Refresh token was already used', 'reused'],
    ['refresh token reuse detected', 'reused'],
    ['Token has been revoked', 'revoked'],
    ['Token has been expired or revoked.', 'rejected'],
    ['The refresh token is invalid or expired.', 'rejected'],
    ['Token is not expired but unknown', 'rejected'],
    ['Maximum allowed refresh token reuse exceeded', 'rejected'],
    ['revoked, since it expired', 'rejected'],
    ['grant request is invalid', 'rejected'],
    ['', 'rejected'],
    [7, 'rejected'],
  ])('that is described as %j has the reason %s', async (description, reason) => {
    const refused = { kind: 'refused', reason }
    const standard = { error: 'invalid_grant', error_description: description }
    const nested = { error: { code: 'invalid_grant', message: description } }
    expect(await refreshed(answer(400, standard))).toEqual(refused)
    expect(await refreshed(answer(400, nested))).toEqual(refused)
  })
})

describe('an answer to a refresh that passes', () => {
  it.each<[string, HttpAnswer, Told]>([
    [
      'a page of a proxy',
      answer(200, PAGE, HTML),
      passing('invalid_answer', 'auth.example.com answered 200 with text/html, which is not JSON.'),
    ],
    [
      'half of an answer',
      answer(200, '{"access_token":"at-1'),
      passing('invalid_answer', 'auth.example.com answered 200 with something that is not JSON.'),
    ],
    [
      'nothing',
      answer(204, '', { 'content-type': '' }),
      passing('invalid_answer', 'auth.example.com answered 204 with something that is not JSON.'),
    ],
    [
      'a type that is none',
      answer(200, '[]', { 'content-type': `text/${'x'.repeat(999)}\u{1b}[31m` }),
      passing(
        'invalid_answer',
        `auth.example.com answered 200 with text/${'x'.repeat(40)}, which is not JSON.`,
      ),
    ],
    [
      'no tokens',
      answer(200, { ok: true }),
      passing('invalid_answer', 'auth.example.com answered 200 with nothing of what was asked for.'),
    ],
    [
      'an error under a status of success',
      answer(200, { error: 'invalid_grant' }),
      passing(
        'invalid_answer',
        'auth.example.com answered 200 (invalid_grant) with nothing of what was asked for.',
      ),
    ],
    [
      'a redirect',
      answer(307, '', { location: 'https://elsewhere.example.com/?token=x' }),
      passing('invalid_answer', 'auth.example.com answered 307, a redirect, which is never followed.'),
    ],
    [
      'a page with 401',
      answer(401, PAGE, HTML),
      passing('provider_failed', 'auth.example.com answered 401.'),
    ],
    [
      'a page with 403',
      answer(403, PAGE, HTML),
      passing('provider_failed', 'auth.example.com answered 403.'),
    ],
    ['401 without a code', answer(401, {}), passing('provider_failed', 'auth.example.com answered 401.')],
    [
      'invalid_grant with 403',
      answer(403, { error: 'invalid_grant' }),
      passing('provider_failed', 'auth.example.com answered 403 (invalid_grant).'),
    ],
    [
      'invalid_client',
      answer(401, { error: 'invalid_client' }),
      passing('provider_failed', 'auth.example.com answered 401 (invalid_client).'),
    ],
    [
      'an error in the way of OpenAI',
      answer(403, { error: { code: 'unsupported_country_region_territory', message: 'no' } }),
      passing('provider_failed', 'auth.example.com answered 403 (unsupported_country_region_territory).'),
    ],
    [
      'a code that is a text',
      answer(400, { error: 'the token abc is bad', code: `x${'y'.repeat(64)}` }),
      passing('provider_failed', 'auth.example.com answered 400.'),
    ],
    [
      'codes that are none',
      answer(400, { error: { code: 7 }, code: [] }),
      passing('provider_failed', 'auth.example.com answered 400.'),
    ],
    ['500', answer(500, PAGE, HTML), passing('provider_failed', 'auth.example.com answered 500.')],
    ['a status that is none', answer(999, ''), passing('provider_failed', 'auth.example.com answered 999.')],
  ])('is %s', async (_, given, fault) => {
    expect(await told(refreshed(given))).toEqual(fault)
  })

  it.each([null, '', 7, {}, [], ' ', 'a b', 'a\nb', 'a\tb', '\u{e9}', 'a\u{0}', 'x'.repeat(64 * 1024 + 1)])(
    'is one whose access token is %j',
    async (token) => {
      const given = answer(200, { access_token: token, refresh_token: 'rt-1' })
      const message = 'auth.example.com answered 200 with nothing of what was asked for.'
      expect(await told(refreshed(given))).toEqual(passing('invalid_answer', message))
    },
  )
})

describe('an answer that puts off', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['30', {}, 30],
    [' 0 ', {}, 0],
    [dated(90).date, dated(0), 90],
    [dated(-90).date, dated(0), 0],
    [dated(90).date, {}, undefined],
    ['soon', dated(0), undefined],
    ['-1', dated(0), undefined],
    ['', dated(0), undefined],
  ])('with Retry-After %j says how long', async (retryAfter, headers, seconds) => {
    const wait = seconds === undefined ? '' : ` for ${seconds} s`
    expect(await told(refreshed(answer(429, '', { ...headers, 'retry-after': retryAfter })))).toEqual(
      passing('rate_limited', `auth.example.com answered 429: no more requests${wait}.`, true, seconds),
    )
    expect(
      await told(refreshed(answer(503, PAGE, { ...HTML, ...headers, 'retry-after': retryAfter }))),
    ).toEqual(passing('provider_failed', 'auth.example.com answered 503.', true, seconds))
  })

  it('may leave open how long', async () => {
    expect(await told(refreshed(answer(429, { error: { code: 'rate_limit_exceeded' } })))).toEqual(
      passing('rate_limited', 'auth.example.com answered 429 (rate_limit_exceeded): no more requests.', true),
    )
  })
})

describe('an answer to an authorization code', () => {
  it.each([
    [400, { error: 'invalid_grant' }, 'invalid_grant'],
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [
      403,
      { error: { code: 'unsupported_country_region_territory' } },
      'unsupported_country_region_territory',
    ],
    [400, { error: 'refresh_token_reused' }, 'refresh_token_reused'],
  ])('that refuses it with %i ends the sign-in', async (status, body, code) => {
    expect(await told(exchanged(answer(status, body)))).toEqual({
      code: 'login_failed',
      message: `auth.example.com did not accept the authorization code (${code}).`,
    })
  })

  it.each<[string, HttpAnswer, Told]>([
    [
      'a page with 400',
      answer(400, PAGE, HTML),
      passing('provider_failed', 'auth.example.com answered 400.'),
    ],
    [
      'an error of the server with 400',
      answer(400, { error: 'server_error' }),
      passing('provider_failed', 'auth.example.com answered 400 (server_error).'),
    ],
    [
      '500 with a code',
      answer(500, { error: 'invalid_grant' }),
      passing('provider_failed', 'auth.example.com answered 500 (invalid_grant).'),
    ],
    [
      '408 with a code',
      answer(408, { error: 'too_slow' }),
      passing('provider_failed', 'auth.example.com answered 408 (too_slow).'),
    ],
    [
      '429 with a code',
      answer(429, { error: 'slow' }, { 'retry-after': '7' }),
      passing('rate_limited', 'auth.example.com answered 429 (slow): no more requests for 7 s.', true, 7),
    ],
    [
      'no tokens',
      answer(200, {}),
      passing('invalid_answer', 'auth.example.com answered 200 with nothing of what was asked for.'),
    ],
  ])('that is %s passes', async (_, given, fault) => {
    expect(await told(exchanged(given))).toEqual(fault)
  })
})
