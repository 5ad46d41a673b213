import type { HttpAnswer } from '../../../src/adapters/provider/http.ts'

/** Epoch seconds of receipt, with a fraction as a real clock has it. */
export const RECEIVED_AT = 1_790_000_000.25

/** An answer of `auth.example.com`; a body that is no text is sent as JSON. */
export function answer(status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    host: 'auth.example.com',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  }
}

/** A token with these claims, and a signature that nobody checks. */
export function unsigned(claims: unknown, header: unknown = { alg: 'RS256', typ: 'JWT' }): string {
  const [first, second] = [header, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${first}.${second}.c2lnbmF0dXJl`
}

/** The `Date` header of a server whose clock is so many seconds ahead of {@link RECEIVED_AT}. */
export function dated(ahead: number): { readonly date: string } {
  return { date: new Date((Math.floor(RECEIVED_AT) + ahead) * 1000).toUTCString() }
}
