import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { systemRoots } from '../../../src/adapters/provider/system-roots.ts'
import { asTrustedCertificate, certificateAuthority, impostorOf } from '../../support/certificates.ts'
import { setNetwork } from './environment.ts'
import { rejection, told } from './faults.ts'
import { AUTHORITY, fileOf, serveSecurely } from './network.ts'

const GET = { method: 'GET', headers: {} } as const
/** Not every machine has some of its own. */
const ROOTS = `the roots of Node.js${systemRoots().length === 0 ? '' : ' and of this system'}`
const OTHER = certificateAuthority('another authority').certificate

/** A server on this machine with a certificate of {@link AUTHORITY}; its address. */
async function startServer(): Promise<string> {
  const port = await serveSecurely((_, response) => response.end('{}'), '127.0.0.1')
  return `https://127.0.0.1:${port}`
}

const refusal = (variable: string, message: string): object => ({
  code: 'network',
  message,
  mayRetry: false,
  nextStep: `correct or unset ${variable}`,
})

describe('a private certificate authority', () => {
  it.each(['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE'])(
    'is trusted when %s names its file',
    async (variable) => {
      const address = await startServer()
      setNetwork({ [variable]: fileOf(AUTHORITY.certificate) })
      expect((await request(address, GET)).body).toBe('{}')
    },
  )

  it('is trusted for the one request only', async () => {
    const address = await startServer()
    setNetwork({ CODEX_CA_CERTIFICATE: fileOf(AUTHORITY.certificate) })
    await request(address, GET)
    setNetwork()
    expect((await rejection(request(address, GET))).message).toContain('is not trusted')
    setNetwork({ CODEX_CA_CERTIFICATE: fileOf(OTHER) })
    expect((await rejection(request(address, GET))).message).toContain('is not trusted')
  })

  it('is trusted beside the roots of Node.js', async () => {
    const root = rootCertificates.find(isElliptic) ?? ''
    const port = await serveSecurely((_, response) => response.end('{}'), '127.0.0.1', impostorOf(root))
    setNetwork({ CODEX_CA_CERTIFICATE: fileOf(AUTHORITY.certificate) })
    // Were the root not among those that are trusted, it could not be said that this is not its signature.
    const { message } = await rejection(request(`https://127.0.0.1:${port}`, GET))
    expect(message).toContain('is not trusted (CERT_SIGNATURE_FAILURE)')
  })

  it('is looked for in one file only, the one that is named for Codex', async () => {
    const address = await startServer()
    const [right, wrong] = [fileOf(AUTHORITY.certificate), fileOf(OTHER)]
    setNetwork({ CODEX_CA_CERTIFICATE: right, SSL_CERT_FILE: '/nowhere' })
    expect((await request(address, GET)).body).toBe('{}')
    setNetwork({ CODEX_CA_CERTIFICATE: wrong, SSL_CERT_FILE: right })
    expect((await rejection(request(address, GET))).message).toContain('is not trusted')
    setNetwork({ CODEX_CA_CERTIFICATE: '', SSL_CERT_FILE: right })
    expect((await request(address, GET)).body).toBe('{}')
  })

  it.each<[what: string, text: string]>([
    ['among others', [OTHER, ...rootCertificates.slice(0, 3), AUTHORITY.certificate].join('\n')],
    ['after a list of revoked ones', `${block('X509 CRL', 'AAAA')}${AUTHORITY.certificate}`],
    [
      'between keys',
      `${block('PRIVATE KEY', 'AAAA')}${AUTHORITY.certificate}${block('EC PARAMETERS', 'AA')}`,
    ],
    ['after comments', `\u{feff}# CN=private -----BEGIN\r\nsubject: café\n${AUTHORITY.certificate}# end`],
    ['with the line ends of Windows', AUTHORITY.certificate.replaceAll('\n', '\r\n')],
    ['without a line end', AUTHORITY.certificate.trim()],
    ['as OpenSSL marks trusted ones', asTrustedCertificate(AUTHORITY.certificate)],
    ['under its old label', AUTHORITY.certificate.replaceAll(' CERT', ' X509 CERT')],
    ['twice', AUTHORITY.certificate.repeat(2)],
  ])('is found in the file %s', async (_, text) => {
    const address = await startServer()
    setNetwork({ CODEX_CA_CERTIFICATE: fileOf(text) })
    expect((await request(address, GET)).body).toBe('{}')
  })
})

describe('a file that Node.js was given to trust', () => {
  it('is trusted beside that for Codex', async () => {
    const address = await startServer()
    setNetwork({ NODE_EXTRA_CA_CERTS: fileOf(AUTHORITY.certificate), CODEX_CA_CERTIFICATE: fileOf(OTHER) })
    expect((await request(address, GET)).body).toBe('{}')
  })

  it('is trusted when that was after it had started', async () => {
    const address = await startServer()
    setNetwork({ NODE_EXTRA_CA_CERTS: fileOf(AUTHORITY.certificate) })
    expect((await request(address, GET)).body).toBe('{}')
  })

  it('is passed over when it cannot be used, as Node.js does', async () => {
    const address = await startServer()
    setNetwork({ NODE_EXTRA_CA_CERTS: '/nowhere', CODEX_CA_CERTIFICATE: fileOf(AUTHORITY.certificate) })
    expect((await request(address, GET)).body).toBe('{}')
  })
})

describe('a file of certificates that cannot be used', () => {
  it.each(['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE'])(
    'is named with %s when it is missing',
    async (variable) => {
      setNetwork({ [variable]: '/nowhere/corp.pem' })
      const fault = await told(request('https://127.0.0.1:1', GET))
      expect({ ...fault, cause: undefined }).toEqual(
        refusal(variable, `${variable}=/nowhere/corp.pem cannot be read (ENOENT).`),
      )
    },
  )

  it.each([
    ['empty', ''],
    ['of another kind', block('PRIVATE KEY', 'AAAA')],
    ['binary', '\x30\x82\x01'],
  ])('is named when it is %s', async (_, text) => {
    const path = fileOf(text)
    setNetwork({ CODEX_CA_CERTIFICATE: path })
    expect(await told(request('https://127.0.0.1:1', GET))).toEqual(
      refusal('CODEX_CA_CERTIFICATE', `CODEX_CA_CERTIFICATE=${path} holds no certificate in PEM form.`),
    )
  })

  it.each([
    ['is none', block('CERTIFICATE', 'AAAA')],
    ['is no base64', block('CERTIFICATE', '????')],
    ['is cut off', AUTHORITY.certificate.slice(0, 200)],
    ['lost its end', AUTHORITY.certificate.replace(/-----END.*/s, OTHER)],
  ])('is named, and which certificate, when one %s', async (_, text) => {
    const path = fileOf(`${OTHER}${text}`)
    setNetwork({ CODEX_CA_CERTIFICATE: path })
    const fault = await told(request('https://127.0.0.1:1', GET))
    expect({ ...fault, cause: undefined }).toEqual(
      refusal('CODEX_CA_CERTIFICATE', `Certificate 2 in CODEX_CA_CERTIFICATE=${path} is damaged.`),
    )
  })

  it('does not matter to a server that is asked in plain http', async () => {
    setNetwork({ CODEX_CA_CERTIFICATE: '/nowhere' })
    expect((await rejection(request('http://127.0.0.1:1', GET))).message).toContain('ECONNREFUSED')
  })
})

describe('a certificate that is not trusted', () => {
  it('is told with every authority that was in use', async () => {
    const address = await startServer()
    const { host } = new URL(address)
    const path = fileOf(OTHER)
    setNetwork({ NODE_EXTRA_CA_CERTS: '/etc/extra.pem', SSL_CERT_FILE: path })
    expect(await told(request(address, GET))).toEqual({
      code: 'network',
      message:
        `The certificate of ${host} is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE) ` +
        `by ${ROOTS} plus NODE_EXTRA_CA_CERTS=/etc/extra.pem plus SSL_CERT_FILE=${path}.`,
      mayRetry: true,
      nextStep: `if this network inspects TLS, add its certificate authority to ${path}`,
      cause: { message: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    })
  })

  it('is told with the file that Node.js itself was given', async () => {
    const address = await startServer()
    setNetwork({ NODE_EXTRA_CA_CERTS: '/etc/extra.pem' })
    expect(await told(request(address, GET))).toMatchObject({
      message: expect.stringContaining(` by ${ROOTS} plus NODE_EXTRA_CA_CERTS=/etc/extra.pem.`),
      nextStep: 'if this network inspects TLS, add its certificate authority to /etc/extra.pem',
    })
  })
})

function isElliptic(certificate: string): boolean {
  return new X509Certificate(certificate).publicKey.asymmetricKeyType === 'ec'
}

function block(label: string, content: string): string {
  return `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`
}
