import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AuthError } from '../../errors.ts'

/** What stands in front of the sealed text, readable by anybody and bound to it as associated data. */
export interface EnvelopeHeader {
  readonly keySource: 'file'
  /** Names the key without telling it. */
  readonly keyId: string
  /** Names the machine the key is mixed with. `undefined`: not bound to a machine. */
  readonly machine: string | undefined
  readonly profile: string
  readonly generation: number
}

const VERSION = 1
const MAGIC = /^codex-auth-credential\/(\d{1,9}) /
/** Far above any header this format can have: profile names end at 64 characters. */
const HEADER_LIMIT = 1024
/** Bytes. Far above any real credential, low enough that a wrong file is not read into memory. */
export const ENVELOPE_LIMIT = 1024 * 1024
const TAG_LENGTH = 16
const NONCE_LENGTH = 12

/**
 * Seals a text with AES-256-GCM under a fresh 96-bit random nonce. The result is one header line and the sealed
 * bytes; every byte of the header is authenticated.
 */
export function seal(plaintext: string, key: Uint8Array, header: EnvelopeHeader): Buffer {
  const nonce = randomBytes(NONCE_LENGTH)
  const line = Buffer.from(`codex-auth-credential/${VERSION} ${headerJson(header, nonce)}\n`)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(line)
  return Buffer.concat([line, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

function headerJson(header: EnvelopeHeader, nonce: Buffer): string {
  return JSON.stringify({
    key_source: header.keySource,
    key_id: header.keyId,
    machine: header.machine ?? null,
    profile: header.profile,
    generation: header.generation,
    nonce: nonce.toString('base64url'),
  })
}

/** An envelope whose header has been read and whose text has not been opened. */
export interface Envelope {
  readonly header: EnvelopeHeader
  /** @throws {AuthError} `store_corrupt` when a single bit of header or text differs from what was sealed with this key. */
  open(key: Uint8Array): string
}

/**
 * Reads the header.
 * @throws {AuthError} `store_newer` for a later format, `store_corrupt` for anything that is not an envelope.
 */
export function parseEnvelope(bytes: Buffer): Envelope {
  const end = bytes.subarray(0, HEADER_LIMIT).indexOf(0x0a)
  const version = MAGIC.exec(bytes.toString('latin1', 0, 40))?.[1]
  if (version === undefined) throw corrupt('it is not a sealed credential')
  if (Number(version) > VERSION) throw newer(version)
  if (end < 0 || bytes.length < end + 1 + TAG_LENGTH) throw corrupt('it ends too early')
  const line = bytes.subarray(0, end + 1)
  const { header, nonce } = parseHeader(line.toString('utf8', line.indexOf(0x20) + 1, end))
  return { header, open: (key) => decrypt(bytes.subarray(end + 1), line, nonce, key) }
}

function decrypt(sealed: Buffer, line: Buffer, nonce: Buffer, key: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH })
  decipher.setAAD(line)
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH))
  const opened = decipher.update(sealed.subarray(0, -TAG_LENGTH))
  try {
    return Buffer.concat([opened, decipher.final()]).toString('utf8')
  } catch {
    throw corrupt('it was changed after it was written')
  }
}

function parseHeader(json: string): { header: EnvelopeHeader; nonce: Buffer } {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(json) as Record<string, unknown>
  } catch {
    throw corrupt('its header cannot be read')
  }
  const { key_source, key_id, machine, profile, generation, nonce } = value ?? {}
  if (
    key_source !== 'file' ||
    typeof key_id !== 'string' ||
    !(machine === null || typeof machine === 'string') ||
    typeof profile !== 'string' ||
    !Number.isSafeInteger(generation) ||
    typeof nonce !== 'string' ||
    Buffer.from(nonce, 'base64url').length !== NONCE_LENGTH
  ) {
    throw corrupt('its header is not one this version writes')
  }
  return {
    header: {
      keySource: 'file',
      keyId: key_id,
      machine: machine ?? undefined,
      profile,
      generation: Number(generation),
    },
    nonce: Buffer.from(nonce, 'base64url'),
  }
}

/** Derives 32 bytes for one purpose (RFC 5869 with SHA-256). */
export function derive(secret: Uint8Array, salt: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `codex-auth/1 ${purpose}`, 32))
}

function corrupt(how: string): AuthError {
  return new AuthError('store_corrupt', `The stored credential is damaged: ${how}.`)
}

function newer(version: string): AuthError {
  return new AuthError(
    'store_newer',
    `The stored credential has format ${version}; this version reads up to ${VERSION}.`,
  )
}
