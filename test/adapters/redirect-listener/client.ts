import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

import { expect } from 'vitest'

import type { Listening } from '../../../src/core/ports.ts'
import { contentSecurityPolicy, renderFaultPage, type Page } from '../../../src/adapters/result-page.ts'
import type { RequestFault, Strings } from '../../../src/adapters/result-page/strings.ts'

export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request on a connection of its own, as a browser sends it. Redirects are not followed. */
export async function fetchFrom(url: string, options: RequestOptions = {}, body?: string): Promise<Answer> {
  const sent = request(url, { agent: false, ...options }).end(body)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject)
  })
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** A connection on which nothing has been sent yet. */
export async function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host })
  await once(socket, 'connect')
  return socket
}

/** All that comes back until the other side ends the connection. */
export async function readAll(socket: Socket): Promise<string> {
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk))
  // An end by reset is an end as well.
  socket.on('error', () => {})
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return received
}

/** Sends exactly these bytes. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = await open(port)
  const received = readAll(socket)
  socket.write(bytes, 'latin1')
  return received
}

/** The headers that every answer with this page has. */
export function pageHeaders({ html, language }: Page): IncomingHttpHeaders {
  return { ...headersOf(html), 'content-language': language, vary: 'Accept-Language' }
}

/** The headers that every answer with this body has. */
export function headersOf(body: string): IncomingHttpHeaders {
  const date: string = expect.any(String)
  return {
    'cache-control': 'no-store',
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    'content-security-policy': contentSecurityPolicy,
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    date,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

/** The whole answer to a request that is not the redirect. */
export function faultAnswer(fault: RequestFault, strings?: Strings): Answer {
  const page = renderFaultPage(fault, strings)
  const allow = fault === 'method_not_allowed' ? { allow: 'GET' } : {}
  return { status: page.status, headers: { ...pageHeaders(page), ...allow }, body: page.html }
}

export function portOf(listening: Listening): number {
  return Number(new URL(listening.redirectUri).port)
}
