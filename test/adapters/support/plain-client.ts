import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { listenOnLoopback } from '../../support/loopback-server.ts'

/** A client that knows nothing of ours: bare requests, a bare listener for the redirect. */
export interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
}

export interface RedirectTarget {
  readonly redirectUri: string
  /** The parameters of each redirect, in the order in which they came. */
  readonly redirects: URLSearchParams[]
  close(): Promise<void>
}

export interface AuthorizationRequest {
  readonly url: string
  readonly state: string
  readonly codeVerifier: string
}

export async function listenForRedirect(host = '127.0.0.1'): Promise<RedirectTarget> {
  const server = await listenOnLoopback()
  const redirects: URLSearchParams[] = []
  server.serve((request, response) => {
    redirects.push(new URL(request.url ?? '/', server.origin).searchParams)
    response.end('<p>You may close this page.</p>')
  })
  return {
    redirectUri: `http://${host}:${server.port}/auth/callback`,
    redirects,
    close: () => server.close(),
  }
}

export function authorizationRequest(
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
): AuthorizationRequest {
  const state = randomBytes(32).toString('base64url')
  const codeVerifier = randomBytes(64).toString('base64url')
  const url = new URL(endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    ...parameters,
  }).toString()
  return { url: url.href, state, codeVerifier }
}

export function postForm(url: string, parameters: Record<string, string>): Promise<Reply> {
  return reply(fetch(url, { method: 'POST', body: new URLSearchParams(parameters) }))
}

export function postJson(url: string, body: object): Promise<Reply> {
  const headers = { 'content-type': 'application/json' }
  return reply(fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }))
}

export function get(url: string, bearer: unknown): Promise<Reply> {
  return reply(fetch(url, { headers: { authorization: `Bearer ${String(bearer)}` } }))
}

/** Sends a part of a form and hangs up. Resolves when the server has seen that. */
export async function leaveHalfway(url: string): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/x-www-form-urlencoded`
  socket.end(`${head}\r\ncontent-length: 1000\r\n\r\ngrant_type=`)
  socket.resume()
  await once(socket, 'close')
}

async function reply(response: Promise<Response>): Promise<Reply> {
  const { status } = await response
  const text = await (await response).text()
  return { status, body: text === '' ? {} : JSON.parse(text) }
}
