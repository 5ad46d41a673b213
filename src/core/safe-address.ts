/**
 * A base address that secrets may be sent to, in the one form in which it is stored and compared: https, or http on a
 * loopback address; no user, query or fragment; no slash at the end. `undefined`: it is none.
 */
export function baseAddress(text: string): string | undefined {
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
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
