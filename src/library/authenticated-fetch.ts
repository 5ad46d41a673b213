import { AuthError } from '../errors.ts'
import { accessToken } from './access-token.ts'
import type { AccessTokenOptions } from './access-token-options.ts'
import { checkedOrigins } from './allowed-origins.ts'
import { FruitlessRenewals } from './fruitless-renewals.ts'
import type { AccessToken } from './handed-out.ts'
import { discard, drop, isRequest, repeated, type FetchCall } from './repeatable-body.ts'

export interface AuthenticatedFetchOptions extends Omit<AccessTokenOptions, 'refused' | 'signal'> {
  /**
   * Where the token may go: https, or http on loopback addresses. Unless given: the origin of the login's own base URL; a login
   * of another provider has none, and needs this.
   */
  readonly origins?: readonly string[] | undefined
  /** What makes the requests; the global one unless given. */
  readonly fetch?: Fetch | undefined
}

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * A `fetch` that signs in: it adds `Authorization` to requests that go to an allowed origin, and `ChatGPT-Account-ID` where they go to
 * the base URL of a ChatGPT login. Requests to anywhere else are passed on as they are, and a redirect to another origin
 * loses the token, as the Fetch standard has it.
 *
 * When a token is refused with 401, the request is made once more, and only once, with one that is newer: another call's or
 * process's, or a renewed one. A request whose body is a stream cannot be made twice: its 401 is returned. So is that of a key or
 * token that cannot be renewed, and that of a token which was refused as soon as it was new, for a minute.
 * @throws {AuthError} at once, `usage` for an origin that is not one.
 * @throws {AuthError} from the returned function, as {@link accessToken}; `usage` where no origin is known.
 */
export function authenticatedFetch(options: AuthenticatedFetchOptions = {}): Fetch {
  const { origins, fetch, ...rest } = options
  const allowed = origins && checkedOrigins(origins)
  const fruitless = new FruitlessRenewals()
  return async (input, init) => {
    const url = new URL(isRequest(input) ? input.url : input)
    // Looked up at each request: what watches or records them may take its place later.
    const send = fetch ?? globalThis.fetch
    if (allowed?.has(url.origin) === false) return send(input, init)
    const signal = init?.signal ?? (isRequest(input) ? input.signal : undefined)
    const call = { input, init }
    const newest = (refused?: string): Promise<AccessToken> => accessToken({ ...rest, signal, refused })
    const token = await newest()
    if (!(allowed ?? ownOrigin(token)).has(url.origin)) return send(input, init)
    const renew = async (): Promise<AccessToken | undefined> =>
      fruitless.includes(token.accessToken) ? undefined : unlessFinal(newest(token.accessToken))
    return sendTwiceIfRefused(call, token, renew, fruitless, (one, its) =>
      send(one.input, authorized(one, url, its)),
    )
  }
}

async function sendTwiceIfRefused(
  call: FetchCall,
  token: AccessToken,
  renew: () => Promise<AccessToken | undefined>,
  fruitless: FruitlessRenewals,
  send: (call: FetchCall, token: AccessToken) => Promise<Response>,
): Promise<Response> {
  const again = repeated(call)
  let isUsed = false
  try {
    const response = await send(call, token)
    if (again === undefined || !isRefusal(response, call)) return response
    const newer = await orDrop(response, renew())
    if (newer === undefined) return response
    isUsed = true
    await drop(response)
    const last = await send(again, newer)
    if (isRefusal(last, call)) fruitless.add(newer.accessToken)
    return last
  } finally {
    // The other copy of the body may be on its way still, and this one's end comes only with it.
    if (again !== undefined && !isUsed) void discard(again)
  }
}

/** A response that the caller never sees must not hold its connection, however long its body is. */
async function orDrop<T>(response: Response, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await drop(response)
    throw error
  }
}

/** A 401 from where a redirect led, on another origin, is not about the token, which did not come there. */
function isRefusal({ status, redirected, url }: Response, { input }: FetchCall): boolean {
  if (status !== 401) return false
  return !redirected || new URL(url).origin === new URL(isRequest(input) ? input.url : input).origin
}

/** `undefined`: what was refused cannot be renewed, so the refusal is all there is to say. */
async function unlessFinal(newest: Promise<AccessToken>): Promise<AccessToken | undefined> {
  try {
    return await newest
  } catch (error) {
    if (error instanceof AuthError && error.code === 'not_refreshable') return undefined
    throw error
  }
}

function authorized({ input, init }: FetchCall, url: URL, token: AccessToken): RequestInit {
  const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined))
  headers.set('authorization', `Bearer ${token.accessToken}`)
  if (token.accountId !== undefined && isBelow(url, token.baseUrl))
    headers.set('chatgpt-account-id', token.accountId)
  return { ...init, headers }
}

function ownOrigin({ baseUrl }: AccessToken): ReadonlySet<string> {
  if (baseUrl !== undefined) return new Set([new URL(baseUrl).origin])
  throw new AuthError('usage', 'Nobody knows where the access token of this provider may be sent.', {
    nextStep: 'name the origins: authenticatedFetch({ origins: ["https://api.example.com"] })',
  })
}

function isBelow({ origin, pathname }: URL, baseUrl: string | undefined): boolean {
  if (baseUrl === undefined) return false
  const base = new URL(baseUrl)
  return origin === base.origin && `${pathname}/`.startsWith(`${base.pathname}/`)
}
