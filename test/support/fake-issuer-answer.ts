/** An answer as the issuer itself gives it. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const NO_STORE = { 'content-type': 'application/json', 'cache-control': 'no-store' }

export function json(status: number, body: object): Answer {
  return { status, headers: NO_STORE, body: JSON.stringify(body) }
}

/** RFC 6749, section 5.2. */
export function oauthError(status: number, error: string, description?: string): Answer {
  return json(status, { error, ...(description !== undefined && { error_description: description }) })
}

export function plain(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** Back to the client. Empty parameters are left out. */
export function redirect(redirectUri: string, parameters: Readonly<Record<string, string>>): Answer {
  const location = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '') location.searchParams.set(name, value)
  }
  return { status: 302, headers: { location: location.href } }
}

/** `undefined`: not a JSON object. */
export function parseJson(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}
