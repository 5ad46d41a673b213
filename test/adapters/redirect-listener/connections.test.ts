import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { afterEach, describe, expect, test } from 'vitest'

import type { Listening, Redirect } from '../../../src/core/ports.ts'
import { redirectListener, type RedirectListenerOptions } from '../../../src/adapters/redirect-listener.ts'
import type { RequestFault } from '../../../src/adapters/result-page/strings.ts'
import { exchange, faultAnswer, open, portOf, readAll, type Answer } from './client.ts'

const state = 'u0Zl3cM8T4r-1xkq9sE2nVb7YwAhDfGj5iOpLtRzXcK'
const forever = new AbortController().signal

const listenings: Listening[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(listenings.splice(0).map((listening) => listening.close()))
})

async function listen(options: RedirectListenerOptions = {}): Promise<Listening> {
  const listening = await redirectListener(options).listen({ ports: [0], redirectHost: 'localhost' })
  listenings.push(listening)
  return listening
}

function callback(port: number, code = 'the-code'): string {
  return `GET /auth/callback?code=${code}&state=${state} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`
}

/** The code that comes through when a browser brings the redirect now. */
async function codeThat(listening: Listening, redirect: Promise<Redirect>): Promise<string | null> {
  const socket = await open(portOf(listening))
  sockets.push(socket)
  socket.write(callback(portOf(listening)))
  return (await redirect).parameters.get('code')
}

/** An answer as it came over the wire. */
function parse(received: string): Answer {
  const [head = '', body = ''] = received.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2)
  }
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: Buffer.from(body, 'latin1').toString(),
  }
}

async function crowd(port: number, size: number): Promise<Promise<string>[]> {
  const opened = await Promise.all(Array.from({ length: size }, () => open(port)))
  sockets.push(...opened)
  return opened.map(readAll)
}

describe('bytes that are no request are answered and change nothing:', () => {
  const cases: [string, string, RequestFault][] = [
    ['something else than HTTP', 'EHLO localhost\r\n\r\n', 'malformed'],
    ['the start of a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'malformed'],
    ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 'malformed'],
    ['no host', `GET /auth/callback?state=${state} HTTP/1.1\r\n\r\n`, 'wrong_host'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: localhost:PORT\r\nHost: localhost:PORT\r\n\r\n', 'wrong_host'],
    [
      'a second host behind thousands of headers',
      `GET /auth/callback?code=c&state=${state} HTTP/1.1\r\nHost: localhost:PORT\r\n${'a:\r\n'.repeat(2500)}Host: rebound.example\r\n\r\n`,
      'wrong_host',
    ],
    [
      'more than 16 KiB of headers',
      `GET / HTTP/1.1\r\nCookie: ${'c'.repeat(17_000)}\r\n\r\n`,
      'headers_too_large',
    ],
    [
      'an address of 100 KB',
      `GET /auth/callback?code=${'c'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'headers_too_large',
    ],
    [
      'a body that asks for leave',
      'GET / HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n',
      'body',
    ],
    [
      'a whole address in place of a path',
      `GET http://localhost:PORT/auth/callback?state=${state} HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n`,
      'not_found',
    ],
  ]
  test.each(cases)('%s', async (_, bytes, fault) => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = await exchange(port, bytes.replaceAll('PORT', String(port)))
    expect(parse(received)).toEqual(faultAnswer(fault))
    expect(await codeThat(listening, redirect)).toBe('the-code')
  })

  test('too many bytes are read on after the answer, so that no reset takes it back', async () => {
    const listening = await listen()
    const port = portOf(listening)
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const closed = once(socket, 'close')
    const received = readAll(socket)
    socket.write('c'.repeat(20_000))
    await once(socket, 'end')
    for (let sent = 0; sent < 2; sent += 1) {
      socket.write('c'.repeat(20_000))
      // When this is answered, the listener has met the bytes before.
      await exchange(port, 'EHLO localhost\r\n\r\n')
    }
    socket.end()
    expect(parse(await received)).toEqual(faultAnswer('malformed'))
    const [withError]: unknown[] = await closed
    expect(withError).toBe(false)
  })

  test('a tunnel is not opened', async () => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    expect(
      await exchange(portOf(listening), 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'),
    ).toBe('')
    expect(await codeThat(listening, redirect)).toBe('the-code')
  })
})

describe('a connection carries one request:', () => {
  test('the right redirect behind another request does not count', async () => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = await exchange(
      port,
      `GET / HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n${callback(port, 'pipelined')}`,
    )
    expect(parse(received)).toEqual(faultAnswer('not_found'))
    expect(await codeThat(listening, redirect)).toBe('the-code')
  })

  test('a request behind the right redirect does not reach anything', async () => {
    const listening = await listen({ pageTimeout: 0 })
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = exchange(port, callback(port, 'first') + callback(port, 'second'))
    const redirected = await redirect
    expect(redirected.parameters.get('code')).toBe('first')
    await redirected.answer({ kind: 'failed', message: 'it was refused', nextStep: 'codex-auth login' })
    expect((await received).match(/^HTTP.*$/gm)).toEqual(['HTTP/1.1 303 See Other'])
  })

  test('bytes behind the right redirect do not undo it', async () => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = exchange(port, `${callback(port)}EHLO localhost\r\n\r\n`)
    const redirected = await redirect
    expect(redirected.parameters.get('code')).toBe('the-code')
    expect(await received).toBe('')
    await redirected.answer({ kind: 'failed', message: 'it was refused', nextStep: 'codex-auth login' })
  })
})

test('connections that are reset do no harm, however far they are', async () => {
  const listening = await listen({ pageTimeout: 0 })
  const redirect = listening.redirect(state, forever)
  const port = portOf(listening)
  for (const bytes of ['', 'GET /auth', 'EHLO localhost\r\n', 'GET / HTTP/1.1\r\n\r\n', callback(port)]) {
    const socket = await open(port)
    await new Promise((resolve) => socket.write(bytes, resolve))
    socket.resetAndDestroy()
  }
  // Whether the reset came before the last of them was read, this one is taken or has been.
  expect(await codeThat(listening, redirect)).toBe('the-code')
  await (await redirect).answer({ kind: 'failed', message: 'it was refused', nextStep: 'codex-auth login' })
})

describe('a connection that takes too long', () => {
  test('within a request is told so and ended', async () => {
    const listening = await listen({ headerTimeout: 50 })
    const redirect = listening.redirect(state, forever)
    const received = await exchange(portOf(listening), 'GET /auth/callback HTTP/1.1\r\nHost: ')
    expect(parse(received)).toEqual(faultAnswer('too_slow'))
    expect(await codeThat(listening, redirect)).toBe('the-code')
  })

  test('to say anything is ended without a word', async () => {
    const listening = await listen({ headerTimeout: 50 })
    expect(await exchange(portOf(listening), '')).toBe('')
  })

  test('is not the one that waits for its answer', async () => {
    const listening = await listen({ headerTimeout: 50, pageTimeout: 0 })
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = exchange(port, callback(port))
    const redirected = await redirect
    // Ended for its silence, this one shows that the time is up for both.
    await exchange(port, '')
    await redirected.answer({ kind: 'failed', message: 'it was refused', nextStep: 'codex-auth login' })
    expect(await received).toMatch(/^HTTP\/1\.1 303 /)
  })
})

describe('500 connections that say nothing', () => {
  test('do not keep the redirect out, and all but 100 are ended, oldest first', async () => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const ended = await crowd(portOf(listening), 500)
    expect(await codeThat(listening, redirect)).toBe('the-code')
    await Promise.all(ended.slice(0, 401))
    const kept = sockets.slice(401, 500)
    expect(kept.filter((socket) => socket.closed)).toEqual([])
  })

  test('do not end a redirect that came before them and waits for its answer', async () => {
    const listening = await listen({ pageTimeout: 0 })
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const received = exchange(port, callback(port))
    const redirected = await redirect
    const ended = await crowd(port, 500)
    await Promise.all(ended.slice(0, 401))
    await redirected.answer({ kind: 'failed', message: 'it was refused', nextStep: 'codex-auth login' })
    expect(await received).toMatch(/^HTTP\/1\.1 303 /)
  })

  test('do not keep out a redirect in the midst of them', async () => {
    const listening = await listen()
    const redirect = listening.redirect(state, forever)
    const port = portOf(listening)
    const before = crowd(port, 250)
    const code = codeThat(listening, redirect)
    const after = crowd(port, 250)
    expect(await code).toBe('the-code')
    await Promise.all([before, after])
  })
})
