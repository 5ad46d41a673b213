import { jsonObject } from './json-object.ts'

/** Characters. A token beyond these is treated as opaque. */
const TOKEN_LIMIT = 64 * 1024
const PART_LIMIT = 16 * 1024

/**
 * The claims of a JSON Web Token (RFC 7519), for its expiry and for display. The signature is not looked at: what is
 * read here came straight from the token endpoint. Never throws; `undefined`: it is no such token.
 */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  if (token.length > TOKEN_LIMIT) return undefined
  const [header, payload, signature, ...more] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    return undefined
  return decoded(header) && decoded(payload)
}

function decoded(part: string): Readonly<Record<string, unknown>> | undefined {
  if (part.length > PART_LIMIT || !/^[\w-]+$/.test(part)) return undefined
  // Bytes that are no UTF-8 become replacement characters, which a JSON text may hold but not consist of.
  return jsonObject(Buffer.from(part, 'base64url').toString())
}
