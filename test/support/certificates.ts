import { generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** A private key and its certificate (RFC 5280), in PEM. */
export interface Identity {
  readonly key: string
  readonly cert: string
}

export interface CertificateAuthority {
  /** Its own certificate, in PEM. */
  readonly certificate: string
  /** A server's identity under these host names and addresses (of IPv6, loopback only), valid for an hour. */
  issue(...hosts: readonly string[]): Identity
}

/** An authority that nobody trusts who has not been told to. */
export function certificateAuthority(name = 'private authority'): CertificateAuthority {
  return authority(commonName(name))
}

/** One under the name of another authority, with a key of its own. */
export function impostorOf(certificate: string): CertificateAuthority {
  return authority(nameIn(certificate))
}

function authority(name: Buffer): CertificateAuthority {
  const own = keyPair()
  const signer = { name, key: own.privateKey }
  return {
    certificate: certify({ name, key: own.publicKey, extension: AUTHORITY }, signer),
    issue: (...hosts) => {
      const { privateKey, publicKey } = keyPair()
      const subject = { name: commonName('server'), key: publicKey, extension: alternativeNames(hosts) }
      return { key: pemOfKey(privateKey), cert: certify(subject, signer) }
    },
  }
}

/** A server at 127.0.0.1 that vouches for itself, for an hour that began so many milliseconds ago. */
export function selfSigned(since?: number): Identity {
  const { privateKey, publicKey } = keyPair()
  const name = commonName('self-signed')
  const subject = { name, key: publicKey, extension: alternativeNames(['127.0.0.1']), since }
  return { key: pemOfKey(privateKey), cert: certify(subject, { name, key: privateKey }) }
}

/** The same certificate as OpenSSL writes it with `-trustout -addtrust serverAuth`. */
export function asTrustedCertificate(certificate: string): string {
  const der = Buffer.from(certificate.replaceAll(/-----[^-]+-----/g, ''), 'base64')
  return pem('TRUSTED CERTIFICATE', Buffer.concat([der, sequence(sequence(SERVER_AUTH))]))
}

interface Subject {
  readonly name: Buffer
  readonly key: KeyObject
  readonly extension: Buffer
  /** How many milliseconds ago it became valid; a minute unless told. */
  readonly since?: number | undefined
}

interface Signer {
  readonly name: Buffer
  readonly key: KeyObject
}

function certify(subject: Subject, signer: Signer): string {
  const begin = Date.now() - (subject.since ?? 60_000)
  const body = sequence(
    tagged(0xa0, Buffer.from([0x02, 0x01, 0x02])),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    signer.name,
    sequence(time(begin), time(begin + 3_600_000)),
    subject.name,
    subject.key.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(subject.extension)),
  )
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer.key)]))
  return pem('CERTIFICATE', sequence(body, ECDSA_WITH_SHA256, signature))
}

const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const SERVER_AUTH = Buffer.from('06082b06010505070301', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex')
/** Basic constraints, critical: it is an authority. */
const AUTHORITY = Buffer.from('300f0603551d130101ff040530030101ff', 'hex')

function keyPair(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(name)))))
}

/** Of the certificate's fields: version, serial number, algorithm, and then the name of who signed it. */
function nameIn(certificate: string): Buffer {
  const body = partsOf(contentOf(new X509Certificate(certificate).raw))[0] ?? Buffer.alloc(0)
  return partsOf(contentOf(body))[3] ?? Buffer.alloc(0)
}

function contentOf(der: Buffer): Buffer {
  return der.subarray(headerOf(der).length)
}

function partsOf(content: Buffer): Buffer[] {
  if (content.length === 0) return []
  const { length, contentLength } = headerOf(content)
  const end = length + contentLength
  return [content.subarray(0, end), ...partsOf(content.subarray(end))]
}

function headerOf(der: Buffer): { readonly length: number; readonly contentLength: number } {
  const first = der[1] ?? 0
  if (first < 128) return { length: 2, contentLength: first }
  const bytes = first - 128
  return { length: 2 + bytes, contentLength: der.readUIntBE(2, bytes) }
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? tagged(0x82, Buffer.from(host)) : tagged(0x87, bytesOf(host)),
  )
  return sequence(SUBJECT_ALT_NAME, tagged(0x04, sequence(...names)))
}

function bytesOf(address: string): Buffer {
  return address === '::1'
    ? Buffer.from('1'.padStart(32, '0'), 'hex')
    : Buffer.from(address.split('.').map(Number))
}

function tagged(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...parts: Uint8Array[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return tagged(0x18, Buffer.from(digits))
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
