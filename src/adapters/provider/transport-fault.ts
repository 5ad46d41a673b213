import { PassingFault } from './passing-fault.ts'

/** Where a request was to go. */
export interface Way {
  /** For messages: the server, and the proxy before it. */
  readonly host: string
  /** The one thing to do when nobody answers there, where more is known than that. */
  readonly nextStep?: string | undefined
}

/** What a request, of which `connected` says whether it can have left, met on its way. */
export function transportFault(error: unknown, way: Way, connected: boolean): PassingFault {
  const { host } = way
  const cause = withoutContent(error)
  const code = cause.code
  if (connected && code.startsWith('HPE_')) {
    return new PassingFault('invalid_answer', `${host} answered with something that is not HTTP (${code}).`, {
      cause,
    })
  }
  if (connected) {
    const message = `The connection to ${host} was lost before its answer was complete (${code}).`
    return new PassingFault('network', message, { cause })
  }
  const flaw = FLAWS.get(code)
  if (flaw !== undefined) {
    const message = `The certificate of ${host} ${flaw.what} (${code}).`
    return new PassingFault('network', message, { cause, mayRetry: true, nextStep: flaw.nextStep })
  }
  if (isAboutCertificates(code)) {
    return new PassingFault('network', `The certificate of ${host} is not trusted (${code}).`, {
      cause,
      mayRetry: true,
      nextStep: 'if this network inspects TLS, name its certificate authority in NODE_EXTRA_CA_CERTS',
    })
  }
  return unreached(way, `(${code})`, cause)
}

/** No complete answer within `timeout` milliseconds. */
export function lateFault(way: Way, timeout: number, connected: boolean): PassingFault {
  const within = `within ${Math.ceil(timeout / 100) / 10} s`
  if (connected) return new PassingFault('timeout', `${way.host} did not answer ${within}.`)
  return unreached(way, within)
}

function unreached({ host, nextStep }: Way, how: string, cause?: unknown): PassingFault {
  return new PassingFault('network', `${host} could not be reached ${how}.`, {
    cause,
    mayRetry: true,
    ...(nextStep !== undefined && { nextStep }),
  })
}

interface SystemFault extends Error {
  readonly code: string
  readonly syscall: string | undefined
}

/** The system's own words. Node's errors can carry the bytes of an answer (`rawPacket`) or a certificate. */
function withoutContent(error: unknown): SystemFault {
  const code = textIn(error, 'code')
  if (code === undefined) throw error
  const syscall = textIn(error, 'syscall')
  return Object.assign(new Error([syscall, code].join(' ').trim()), { code, syscall })
}

/** One of the fields Node adds to its errors. */
export function textIn(error: unknown, name: string): string | undefined {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : undefined
}

const CLOCK = 'check the clock of this machine; if it is right, only the server can renew its certificate'

/** What is wrong with a certificate whoever has signed it: no authority that is added would help. */
const FLAWS: ReadonlyMap<string, { readonly what: string; readonly nextStep: string }> = new Map([
  ['CERT_HAS_EXPIRED', { what: 'has expired', nextStep: CLOCK }],
  ['CERT_NOT_YET_VALID', { what: 'is not valid yet', nextStep: CLOCK }],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    { what: 'is for another name', nextStep: 'check the address, and whether something else answers there' },
  ],
])

/** Whether the certificate is flawed in itself, and not for want of an authority. */
export function isFlawed(fault: PassingFault): boolean {
  return FLAWS.has(textIn(fault.cause, 'code') ?? '')
}

/** Whether the certificate would be trusted if one more authority were. Nothing of the request has left then. */
export function lacksAuthority(error: unknown): boolean {
  const code = error instanceof PassingFault && error.mayRetry ? textIn(error.cause, 'code') : undefined
  return code !== undefined && WITHOUT_AUTHORITY.has(code)
}

const WITHOUT_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function isAboutCertificates(code: string): boolean {
  return /CERT|^UNABLE_TO_/.test(code)
}
