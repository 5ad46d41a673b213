interface Cookie {
  readonly host: string
  readonly path: string
  readonly name: string
  readonly value: string
}

/** What one browser remembers between requests (RFC 6265), without domains wider than a host. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>()

  /** The `Cookie` header for a request to this address; empty: there is none to send. */
  header(url: URL): string {
    return [...this.#cookies.values()]
      .filter(({ host, path }) => host === url.hostname && covers(path, url.pathname))
      .toSorted((one, other) => other.path.length - one.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  /** Keeps, or forgets, what the answer from this address says. */
  take(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const { path = '/', expires, 'max-age': maxAge } = named(attributes)
      const [name, value] = cut(pair)
      const key = JSON.stringify([url.hostname, path, name])
      const gone = maxAge === undefined ? Date.parse(expires ?? '') <= Date.now() : Number(maxAge) <= 0
      if (gone) this.#cookies.delete(key)
      else this.#cookies.set(key, { host: url.hostname, path, name, value })
    }
  }
}

function covers(path: string, pathname: string): boolean {
  if (path === pathname) return true
  return pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}

function named(attributes: readonly string[]): Partial<Record<'path' | 'expires' | 'max-age', string>> {
  return Object.fromEntries(
    attributes.map((attribute) => {
      const [name, value] = cut(attribute)
      return [name.toLowerCase(), value]
    }),
  )
}

function cut(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=')
  return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}
