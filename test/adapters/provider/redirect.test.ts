import { describe, expect, it } from 'vitest'
import { told, type Told } from './faults.ts'
import { REDIRECT_URI, redirectOf, startOpenAi } from './openai-at-fake-issuer.ts'

/** The fault of an exchange whose redirect has these parameters; `undefined` leaves one out. Nothing may be sent. */
async function redirected(parameters: Record<string, string | undefined>): Promise<Told> {
  const { issuer, provider } = await startOpenAi()
  const request = await provider.authorizationRequest(REDIRECT_URI, [])
  const given = Object.entries({ state: request.state, ...parameters })
  const redirect = new URLSearchParams(
    given.filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  const fault = await told(provider.exchange(request, redirect))
  expect(issuer.requests).toEqual([])
  return fault
}

describe('a redirect', () => {
  it.each([
    [undefined, 'The sign-in was denied.'],
    ['', 'The sign-in was denied.'],
    ['The resource owner said no.', 'The sign-in was denied: The resource owner said no.'],
    ['a\u{1b}[2Kb\r\nc\u{202e}d\u{0}', 'The sign-in was denied: a [2Kb c d'],
    [`see ac_${'x1'.repeat(20)} there`, 'The sign-in was denied: see … there'],
    ['no '.repeat(100), `The sign-in was denied: ${'no '.repeat(66)}no`],
  ])('that denies with %j says so in one plain line', async (description, message) => {
    const fault = await redirected({ error: 'access_denied', error_description: description })
    expect(fault).toEqual({ code: 'login_denied', message })
  })

  it('that denies for want of an entitlement says whom to ask', async () => {
    const description = 'User is missing entitlement: missing_codex_entitlement'
    expect(await redirected({ error: 'access_denied', error_description: description })).toEqual({
      code: 'login_denied',
      message: 'Codex is not enabled for this workspace.',
      nextStep: 'ask an administrator of the workspace for access to Codex, then sign in again',
    })
  })

  it.each<[string, Record<string, string | undefined>, string]>([
    [
      'another error',
      { error: 'server_error', error_description: 'ac_secret' },
      'The provider ended the sign-in without a result (server_error).',
    ],
    [
      'an error that may not be shown',
      { error: 'no\u{1b}[31m such thing' },
      'The provider ended the sign-in without a result.',
    ],
    ['nothing', {}, 'The redirect from the browser brought no authorization code.'],
    ['an empty code', { code: '' }, 'The redirect from the browser brought no authorization code.'],
    [
      'another state',
      { code: 'ac_secret', state: 'other' },
      'The redirect from the browser is not to be trusted: unexpected "state" response parameter value.',
    ],
    [
      'no state',
      { code: 'ac_secret', state: undefined },
      'The redirect from the browser is not to be trusted: response parameter "state" missing.',
    ],
    [
      'another issuer',
      { code: 'ac_secret', iss: 'https://elsewhere.example.com' },
      'The redirect from the browser is not to be trusted: unexpected "iss" (issuer) response parameter value.',
    ],
    [
      'a token',
      { code: 'ac_secret', token: 'at_secret' },
      'The redirect from the browser is not to be trusted: implicit and hybrid flows are not supported.',
    ],
  ])('that brings %s is not traded', async (_, parameters, message) => {
    expect(await redirected(parameters)).toEqual({ code: 'login_failed', message })
  })

  it('that brings two codes is not traded', async () => {
    const { provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const redirect = new URLSearchParams([
      ['state', request.state],
      ['code', 'ac_1'],
      ['code', 'ac_2'],
    ])
    expect(await told(provider.exchange(request, redirect))).toEqual({
      code: 'login_failed',
      message: 'The redirect from the browser brought no authorization code.',
    })
  })

  it('may name its issuer', async () => {
    const { issuer, provider } = await startOpenAi()
    issuer.behaviour.redirectParameters = { iss: issuer.issuer }
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    expect((await provider.exchange(request, await redirectOf(request))).account).toMatchObject({
      id: 'account-1',
    })
  })
})
