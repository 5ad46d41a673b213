import { AuthError } from '../../errors.ts'

/**
 * An issuer identifier (RFC 8414, section 2) in the one form in which it is stored and compared: https, or http on a
 * loopback address; no user, query or fragment; no slash at the end.
 * @throws {AuthError} `usage` for anything else.
 */
export function issuerAddress(text: string): string {
  const address = asIssuer(text)
  if (address !== undefined) return address
  // The text is not repeated: it may hold a password.
  throw new AuthError(
    'usage',
    'The issuer is not an address to sign in at: https, with no user, query or fragment.',
    {
      nextStep:
        'write it as in --issuer https://auth.example.com (http only for 127.0.0.1, [::1] and localhost)',
    },
  )
}

/** As {@link issuerAddress}; `undefined` where that throws. */
export function asIssuer(text: string): string | undefined {
  // The URL parser forgives what a person should be told about: spaces, backslashes, a bare `?`.
  if (!/^https?:\/\/[^\s\\?#]+$/i.test(text) || !isSafeAddress(text)) return undefined
  const url = new URL(text)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Whether secrets may be sent there: https, or http to a loopback address, with no user and no fragment in it. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/** RFC 8252, section 8.3, with the whole of 127.0.0.0/8. The URL parser has brought every IPv4 form to this one. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
