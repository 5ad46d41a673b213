import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

import { contentSecurityPolicy, renderFaultPage, type Page } from '../result-page.ts'
import type { RequestFault, Strings } from '../result-page/strings.ts'

/**
 * How long a connection is read on after the answer to a broken request, in ms. Closed with bytes unread, it
 * would be reset, and some systems then throw away the answer.
 */
const lingerTimeout = 1_000

export function sendPage(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, pageHeaders(page)).end(page.html)
}

/** Sends the browser to `path`; that address takes the place of this one in its history. */
export function sendOn(response: ServerResponse, path: string): void {
  response.writeHead(303, { ...headersFor(''), Location: path }).end()
}

export function sendFault(response: ServerResponse, fault: RequestFault, strings: Strings): void {
  if (fault === 'method_not_allowed') response.setHeader('Allow', 'GET')
  sendPage(response, renderFaultPage(fault, strings))
}

/** For what never became a request: writes the answer, in English, to the connection itself and ends it. */
export function endWithFault(socket: Duplex, fault: RequestFault): void {
  const page = renderFaultPage(fault)
  const { status, html } = page
  const lines = Object.entries(pageHeaders(page)).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', html].join('\r\n'))
  setTimeout(() => socket.destroy(), lingerTimeout).unref()
}

function pageHeaders({ html, language }: Page): Record<string, string> {
  return { ...headersFor(html), 'Content-Language': language, Vary: 'Accept-Language' }
}

function headersFor(body: string): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    Connection: 'close',
    'Content-Length': String(Buffer.byteLength(body)),
    'Content-Security-Policy': contentSecurityPolicy,
    'Content-Type': 'text/html; charset=utf-8',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    Date: new Date().toUTCString(),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }
}
