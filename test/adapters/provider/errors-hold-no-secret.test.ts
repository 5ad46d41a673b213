import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { once } from '../../support/refresh-request.ts'
import { answers, credentialOf, type FakeIssuer, type ScriptedAnswer } from '../../support/fake-issuer.ts'
import { rejection } from './faults.ts'
import { REDIRECT_URI, redirectOf, startOpenAi } from './openai-at-fake-issuer.ts'

const never = new AbortController().signal

/** All faults that leave no tokens behind, each with the request's own secrets within reach. */
const FAULTS: [string, ScriptedAnswer][] = [
  ['a page', answers.html(200)],
  ['a page with 403', answers.html(403)],
  ['a redirect', answers.redirect(307, 'https://elsewhere.example.com/')],
  ['half of the answer', answers.cutOff],
  ['a lost answer', answers.dropped],
  ['an answer that is too large', answers.huge()],
  ['an answer that is no JSON', answers.notJson()],
  ['an answer without its access token', answers.without('access_token')],
  [
    'an access token that is none',
    answers.edited((body) => ({ ...body, access_token: [body['access_token']] })),
  ],
  [
    'an access token in two lines',
    answers.edited((body) => ({ ...body, access_token: `${String(body['access_token'])}\n` })),
  ],
  [
    'an error that repeats the tokens',
    answers.edited((body) => ({
      error: { code: `bad ${String(body['refresh_token'])}`, message: body['access_token'] },
    })),
  ],
  ['an array around the answer', answers.edited((body) => [body])],
]

/** Everything that could be printed of an error, its stack and causes and hidden fields included. */
function everythingIn(error: Error): string {
  return [
    inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity }),
    JSON.stringify(error, [...Object.getOwnPropertyNames(error), 'cause', 'code']),
    error.stack,
    inspect(error.cause, { depth: Infinity, showHidden: true }),
  ].join('\n')
}

/** The last characters of each secret that was printed: those are its own. */
function leaks(issuer: FakeIssuer, error: Error): string[] {
  const printed = everythingIn(error)
  const probes = [...issuer.secrets].map((secret) => secret.slice(-16))
  expect(probes.length).toBeGreaterThan(0)
  return probes.filter((probe) => printed.includes(probe))
}

describe.each(FAULTS)('an error about %s', (_, answer) => {
  it('holds no secret of the exchange', async () => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const redirect = await redirectOf(request)
    issuer.nextAnswers.push(answer)
    expect(leaks(issuer, await rejection(provider.exchange(request, redirect)))).toEqual([])
  })

  it('holds no secret of the refresh', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = credentialOf(issuer.issueLogin())
    issuer.nextAnswers.push(answer)
    expect(leaks(issuer, await rejection(provider.refresh(credential, once('forced'))))).toEqual([])
  })

  it('holds no secret of the sign-in with a device code', async () => {
    const { issuer, provider } = await startOpenAi()
    const authorization = await provider.authorizeDevice(never)
    issuer.nextAnswers.push(answer)
    expect(leaks(issuer, await rejection(provider.pollDevice(authorization, never)))).toEqual([])
  })
})

describe('an error', () => {
  it.each<[string, ScriptedAnswer]>([
    [
      'that repeats it in another word',
      answers.edited((body) => ({ ...body, user_code: `bad ${String(body['device_auth_id'])}\n` })),
    ],
    ['of another type', answers.edited((body) => ({ ...body, device_auth_id: [body['device_auth_id']] }))],
    ['in half an answer', answers.cutOff],
    ['in an array', answers.edited((body) => [body])],
  ])('about a device code %s holds no secret', async (_, answer) => {
    const { issuer, provider } = await startOpenAi()
    issuer.nextUserCodeAnswers.push(answer)
    expect(leaks(issuer, await rejection(provider.authorizeDevice(never)))).toEqual([])
  })

  it.each<[string, ScriptedAnswer]>([
    ['is lost on its way', answers.cutOff],
    ['has no verifier', answers.without('code_verifier')],
    ['has a code of another type', answers.edited((body) => ({ ...body, authorization_code: [body] }))],
    ['is in an array', answers.edited((body) => [body])],
  ])('about a poll whose answer %s holds no secret', async (_, answer) => {
    const { issuer, provider } = await startOpenAi()
    const authorization = await provider.authorizeDevice(never)
    issuer.nextDevicePollAnswers.push(answer)
    expect(leaks(issuer, await rejection(provider.pollDevice(authorization, never)))).toEqual([])
  })

  it.each([400, 429, 500])('about a poll that is refused with %i holds no secret', async (status) => {
    const { issuer, provider } = await startOpenAi()
    const authorization = await provider.authorizeDevice(never)
    const { deviceCode } = authorization
    issuer.nextDevicePollAnswers.push(
      answers.json(status, { error: { code: `bad ${deviceCode}`, message: deviceCode } }),
    )
    expect(leaks(issuer, await rejection(provider.pollDevice(authorization, never)))).toEqual([])
  })

  it('about the revocation holds no secret', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = credentialOf(issuer.issueLogin())
    issuer.nextRevocationAnswers.push(answers.json(400, { error: `bad ${credential.refreshToken}` }))
    expect(leaks(issuer, await rejection(provider.revoke(credential, never)))).toEqual([])
  })

  it('about a server that is gone holds no secret', async () => {
    const { issuer, provider } = await startOpenAi()
    const credential = credentialOf(issuer.issueLogin())
    await issuer.close()
    expect(leaks(issuer, await rejection(provider.refresh(credential, once('forced'))))).toEqual([])
  })

  it.each<[string, Record<string, string>]>([
    ['a denial', { error: 'access_denied' }],
    ['another error', { error: 'server_error' }],
    ['another state', { state: 'other' }],
    ['another issuer', { iss: 'https://elsewhere.example.com' }],
  ])('about %s in the redirect holds no secret', async (_, changes) => {
    const { issuer, provider } = await startOpenAi()
    const request = await provider.authorizationRequest(REDIRECT_URI, [])
    const redirect = await redirectOf(request)
    const code = redirect.get('code') ?? ''
    for (const [name, value] of Object.entries({ ...changes, error_description: `no: ${code}` })) {
      redirect.set(name, value)
    }
    expect(leaks(issuer, await rejection(provider.exchange(request, redirect)))).toEqual([])
  })
})
