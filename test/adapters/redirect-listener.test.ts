import { request } from 'node:http'

import { afterEach, describe, expect, test } from 'vitest'

import type { Listening, Redirect, SignInResult } from '../../src/core/ports.ts'
import { redirectListener, type RedirectListenerOptions } from '../../src/adapters/redirect-listener.ts'
import { renderResultPage } from '../../src/adapters/result-page.ts'
import type { RequestFault } from '../../src/adapters/result-page/strings.ts'
import { german } from '../../src/adapters/result-page/strings/german.ts'
import { japanese } from '../../src/adapters/result-page/strings/japanese.ts'
import {
  faultAnswer,
  fetchFrom,
  headersOf,
  open,
  pageHeaders,
  portOf,
  readAll,
} from './redirect-listener/client.ts'

const state = 'u0Zl3cM8T4r-1xkq9sE2nVb7YwAhDfGj5iOpLtRzXcK'
const forever = new AbortController().signal
/** Long enough that a test that waits for it fails. */
const never = 60_000

const signedIn: SignInResult = {
  kind: 'signed_in',
  account: { email: 'ada@example.org', id: 'account-1', userId: undefined, plan: 'plus' },
  profile: 'default',
  issuer: 'https://auth.openai.com',
}
const failed: SignInResult = { kind: 'failed', message: 'access was denied', nextStep: 'codex-auth login' }

const listenings: Listening[] = []
afterEach(async () => {
  await Promise.all(listenings.splice(0).map((listening) => listening.close()))
})

async function listen(options: RedirectListenerOptions = {}): Promise<Listening> {
  const listening = await redirectListener(options).listen({ ports: [0], redirectHost: '127.0.0.1' })
  listenings.push(listening)
  return listening
}

/** The address that the provider sends the browser to. */
function callback(listening: Listening, query = `code=the-code&state=${state}`): string {
  return `${listening.redirectUri}?${query}`
}

/** What the redirect was, when a browser brings the right one now. */
async function finish(listening: Listening, redirect: Promise<Redirect>): Promise<string> {
  const held = fetchFrom(callback(listening))
  const redirected = await redirect
  const answered = redirected.answer(signedIn)
  const { headers } = await held
  await fetchFrom(new URL(headers.location ?? '', listening.redirectUri).href)
  await answered
  return redirected.parameters.toString()
}

describe('a sign-in that comes back', () => {
  test.each([
    { result: signedIn, status: 200 },
    { result: failed, status: 400 },
  ])('is shown as $result.kind at an address without the code', async ({ result, status }) => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)

    const held = fetchFrom(
      callback(listening, `code=the-code&state=${state}&iss=https%3A%2F%2Fissuer.example`),
    )
    const redirected = await redirect
    expect([...redirected.parameters]).toEqual([
      ['code', 'the-code'],
      ['state', state],
      ['iss', 'https://issuer.example'],
    ])

    const answered = redirected.answer(result)
    const sentOn = await held
    const location = sentOn.headers.location ?? ''
    expect(location).toMatch(/^\/auth\/result\/[\w-]{22}$/)
    expect(sentOn).toEqual({ status: 303, headers: { ...headersOf(''), location }, body: '' })

    const page = await fetchFrom(new URL(location, listening.redirectUri).href)
    const expected = renderResultPage(result)
    expect(page).toEqual({ status, headers: pageHeaders(expected), body: expected.html })
    await answered
  })

  test('is shown in the language of the browser that brought it', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening), { headers: { 'accept-language': 'de-AT,en;q=0.5' } })
    const redirected = await redirect
    const answered = redirected.answer(failed)
    const { headers } = await held
    const page = await fetchFrom(new URL(headers.location ?? '', listening.redirectUri).href)
    const expected = renderResultPage(failed, german)
    expect(page).toEqual({ status: 400, headers: pageHeaders(expected), body: expected.html })
    await answered
  })

  test('is taken with an error and the right state as well', async () => {
    const listening = await listen({ pageTimeout: 0 })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening, `error=access_denied&error_description=No.&state=${state}`))
    const redirected = await redirect
    expect(redirected.parameters.toString()).toBe(`error=access_denied&error_description=No.&state=${state}`)
    await redirected.answer(failed)
    expect((await held).status).toBe(303)
  })

  test.each(['localhost', 'LocalHost', '127.0.0.1', '[::1]'])('may name the host %s', async (host) => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening), { headers: { host: `${host}:${portOf(listening)}` } })
    const redirected = await redirect
    void redirected.answer(signedIn)
    expect((await held).status).toBe(303)
  })

  test('is taken once: the same address again is told so, and the first still gets its page', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening))
    const redirected = await redirect
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('already_answered'))

    const answered = redirected.answer(signedIn)
    const result = new URL((await held).headers.location ?? '', listening.redirectUri).href
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('already_answered'))
    expect(await fetchFrom(result, { method: 'POST' })).toEqual(faultAnswer('method_not_allowed'))
    expect((await fetchFrom(result)).status).toBe(200)
    await answered
    expect((await fetchFrom(result)).status).toBe(200)
  })

  test('can be answered twice, and only the first answer counts', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening))
    const redirected = await redirect
    const answered = redirected.answer(failed)
    await redirected.answer(signedIn)
    expect(
      (await fetchFrom(new URL((await held).headers.location ?? '', listening.redirectUri).href)).status,
    ).toBe(400)
    await answered
  })
})

describe('a browser that goes away', () => {
  test('before the answer does not hold it up', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const tab = request(callback(listening), { agent: false }).end()
    const closed = new Promise((resolve) => tab.on('error', () => {}).once('close', resolve))
    const redirected = await redirect
    tab.destroy()
    await closed
    // When this is answered, the listener has seen the end of the connection before.
    await fetchFrom(listening.redirectUri)
    await expect(redirected.answer(signedIn)).resolves.toBeUndefined()
  })

  test('before the page holds the answer up no longer than the limit', async () => {
    const listening = await listen({ pageTimeout: 20 })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening))
    const redirected = await redirect
    await redirected.answer(signedIn)
    expect((await held).status).toBe(303)
  })
})

describe('the wait', () => {
  test('ends with the reason of its signal, and the state is worth nothing from then on', async () => {
    const listening = await listen()
    const stop = new AbortController()
    const redirect = listening.redirect(state, stop.signal)
    const reason = new Error('the time is up')
    stop.abort(reason)
    await expect(redirect).rejects.toBe(reason)
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('wrong_state'))
  })

  test('is over with the redirect: a signal after it changes nothing', async () => {
    const listening = await listen({ pageTimeout: 0 })
    const stop = new AbortController()
    const redirect = listening.redirect(state, stop.signal)
    const held = fetchFrom(callback(listening))
    const redirected = await redirect
    stop.abort()
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('already_answered'))
    await redirected.answer(signedIn)
    expect((await held).status).toBe(303)
  })

  test('does not begin when its signal is aborted already', async () => {
    const listening = await listen()
    const reason = new Error('the time was up before')
    await expect(listening.redirect(state, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('wrong_state'))
  })

  test('can begin after a redirect was refused for coming too early', async () => {
    const listening = await listen({ pageTimeout: never })
    expect(await fetchFrom(callback(listening))).toEqual(faultAnswer('wrong_state'))
    expect(await finish(listening, listening.redirect(state, forever))).toBe(`code=the-code&state=${state}`)
  })
})

describe('a request that is not the redirect is answered and changes nothing:', () => {
  const queries: [string, string, RequestFault][] = [
    ['another state', `code=c&state=${state.replace('u', 'v')}`, 'wrong_state'],
    ['a state that begins the right one', `code=c&state=${state.slice(0, -1)}`, 'wrong_state'],
    ['a state that goes on after the right one', `code=c&state=${state}x`, 'wrong_state'],
    [
      'a state of as many characters and more bytes',
      `code=c&state=${'é'.repeat(state.length)}`,
      'wrong_state',
    ],
    ['no state', 'code=c', 'wrong_state'],
    ['an error without a state', 'error=access_denied', 'wrong_state'],
    ['the right state twice', `code=c&state=${state}&state=${state}`, 'wrong_state'],
    ['two codes', `code=c&code=d&state=${state}`, 'repeated_parameter'],
    ['two issuers', `code=c&iss=a&iss=b&state=${state}`, 'repeated_parameter'],
    ['two errors', `error=a&error=b&state=${state}`, 'repeated_parameter'],
    ['two codes and another state', 'code=c&code=d&state=other', 'wrong_state'],
    ['an address of more than 8 KiB', `code=${'c'.repeat(8 * 1024)}&state=${state}`, 'address_too_long'],
  ]
  test.each(queries)('%s', async (_, query, fault) => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    expect(await fetchFrom(callback(listening, query))).toEqual(faultAnswer(fault))
    expect(await finish(listening, redirect)).toBe(`code=the-code&state=${state}`)
  })

  test('in the language of its own browser', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const japaneseBrowser = { headers: { 'accept-language': 'ja' } }
    expect(await fetchFrom(callback(listening, 'code=c'), japaneseBrowser)).toEqual(
      faultAnswer('wrong_state', japanese),
    )
    expect(await fetchFrom(callback(listening, 'code=c'))).toEqual(faultAnswer('wrong_state'))
    expect(await finish(listening, redirect)).toBe(`code=the-code&state=${state}`)
  })

  const paths = [
    '/',
    '/cancel',
    '/success',
    '/favicon.ico',
    '/auth/callback/',
    '/AUTH/callback',
    '//auth/callback',
  ]
  const more = ['/auth/./callback', '/auth/callback%20', '/auth/result/', `/auth/result/${'A'.repeat(22)}`]
  test.each([...paths, ...more])('GET %s', async (path) => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const { port, host } = new URL(listening.redirectUri)
    const answer = await fetchFrom(`http://${host}`, { port, path: `${path}?code=c&state=${state}` })
    expect(answer).toEqual(faultAnswer('not_found'))
    expect(await finish(listening, redirect)).toBe(`code=the-code&state=${state}`)
  })

  test.each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s', async (method) => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const whole = faultAnswer('method_not_allowed')
    const expected = method === 'HEAD' ? { ...whole, body: '' } : whole
    expect(await fetchFrom(callback(listening), { method })).toEqual(expected)
    expect(await finish(listening, redirect)).toBe(`code=the-code&state=${state}`)
  })

  const headers: [string, Record<string, string>, RequestFault][] = [
    ['the host of another name', { host: 'rebound.example' }, 'wrong_host'],
    ['the host of another port', { host: 'localhost:1' }, 'wrong_host'],
    ['a host without a port', { host: 'localhost' }, 'wrong_host'],
    ['a body of known length', { 'content-length': '1' }, 'body'],
    ['a body in chunks', { 'transfer-encoding': 'chunked' }, 'body'],
    ['an expectation', { 'content-length': '1', expect: 'miracles' }, 'body'],
  ]
  test.each(headers)('%s', async (_, extra, fault) => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    expect(
      await fetchFrom(callback(listening), { headers: extra }, fault === 'body' ? 'x' : undefined),
    ).toEqual(faultAnswer(fault))
    expect(await finish(listening, redirect)).toBe(`code=the-code&state=${state}`)
  })
})

describe('closing', () => {
  test('ends every connection at once, whatever it waits for', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const silent = await open(port)
    const halfway = await open(port)
    halfway.write('GET /auth/callback HTTP/1.1\r\nHost: ')
    const broken = await open(port)
    broken.write('this is not HTTP\r\n\r\n')
    const held = await open(port)
    held.write(`GET /auth/callback?code=c&state=${state} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)
    const received = Promise.all([silent, halfway, broken, held].map(readAll))
    await redirect

    await listening.close()
    await listening.close()
    const [fromSilent, fromHalfway, , fromHeld] = await received
    expect([fromSilent, fromHalfway, fromHeld]).toEqual(['', '', ''])
    await expect(open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('lets an answer go that still waits for its page', async () => {
    const listening = await listen({ pageTimeout: never })
    const redirect = listening.redirect(state, forever)
    const held = fetchFrom(callback(listening))
    const redirected = await redirect
    const answered = redirected.answer(signedIn)
    expect((await held).status).toBe(303)
    await listening.close()
    await answered
  })
})
