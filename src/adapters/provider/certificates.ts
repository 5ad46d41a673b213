import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'
import { trace } from '../trace.ts'
import { certificateBlocks } from './certificate-blocks.ts'
import { AUTHORITY_VARIABLES, NODE_AUTHORITY_VARIABLE, type Environment } from './network-variables.ts'
import { PassingFault } from './passing-fault.ts'
import { systemRoots } from './system-roots.ts'
import { lacksAuthority, textIn } from './transport-fault.ts'

interface Bundle {
  readonly variable: string
  readonly path: string
}

/**
 * The roots of Node.js, whichever it was started with, and those in the file that `CODEX_CA_CERTIFICATE` or else
 * `SSL_CERT_FILE` names. `undefined`: neither does, and nothing is to be added.
 * @param all the system's roots as well, and what `NODE_EXTRA_CA_CERTS` names now. To bring in that many takes longer than
 * a handshake, and hardly ever does any good.
 * @throws {PassingFault} `network` when the file cannot be used. It is a mistake in the setup, but one that says nothing
 * about the login: like any other fault on the way to the provider it must not keep a living token from being used.
 */
export function secureContext(env: Environment, all: boolean): SecureContext | undefined {
  const bundle = ownBundle(env)
  if (bundle === undefined && !all) return undefined
  const system = all ? systemRoots() : []
  trace(() => `trusting ${authorities(env, system)}`)
  const own = bundle === undefined ? [] : readBundle(bundle)
  const certificates = [...own, ...nodeAuthorities(env, bundle), ...system]
  const context = createSecureContext()
  // The option `ca` would replace the roots, and which ones those are cannot be asked of Node.js before 22.15, nor with
  // --use-openssl-ca in any version. This adds to a copy of them, and is what `ca` itself is made of.
  for (const certificate of certificates) context.context.addCACert(certificate)
  return context
}

/** Those that Node.js 20 leaves out of the copy. A file that cannot be used is no fault here: Node.js warns of it. */
function nodeAuthorities(env: Environment, own: Bundle | undefined): string[] {
  const bundle = bundleOf(NODE_AUTHORITY_VARIABLE, env)
  if (bundle === undefined || bundle.path === own?.path) return []
  try {
    return readBundle(bundle)
  } catch (error) {
    if (!(error instanceof PassingFault)) throw error
    trace(() => error.message)
    return []
  }
}

/** The same fault, a certificate that was not trusted, told with the authorities that the environment names, if any. */
export function untrustedFault(fault: PassingFault, host: string, env: Environment): PassingFault {
  const bundle = bundles(env).at(-1)
  if (bundle === undefined) return fault
  const problem = `The certificate of ${host} is not trusted (${textIn(fault.cause, 'code')})`
  const system = lacksAuthority(fault) ? systemRoots() : []
  return new PassingFault('network', `${problem} by ${authorities(env, system)}.`, {
    cause: fault.cause,
    mayRetry: fault.mayRetry,
    nextStep: `if this network inspects TLS, add its certificate authority to ${bundle.path}`,
  })
}

function authorities(env: Environment, system: readonly string[]): string {
  const roots = system.length === 0 ? 'the roots of Node.js' : 'the roots of Node.js and of this system'
  const files = bundles(env).map(({ variable, path }) => `${variable}=${path}`)
  return [roots, ...files].join(' plus ')
}

function bundles(env: Environment): Bundle[] {
  return [bundleOf(NODE_AUTHORITY_VARIABLE, env), ownBundle(env)].filter((bundle) => bundle !== undefined)
}

function ownBundle(env: Environment): Bundle | undefined {
  return AUTHORITY_VARIABLES.map((variable) => bundleOf(variable, env)).find((bundle) => bundle !== undefined)
}

/** An empty variable is as good as none. */
function bundleOf(variable: string, env: Environment): Bundle | undefined {
  const path = env[variable]
  return path ? { variable, path } : undefined
}

/** Each as a plain PEM block. */
function readBundle({ variable, path }: Bundle): string[] {
  const file = `${variable}=${path}`
  const text = contentOf(path, file, variable)
  const blocks = certificateBlocks(text)
  if (blocks.length === 0) throw unusable(`${file} holds no certificate in PEM form.`, variable)
  return blocks.map((block, index) => {
    try {
      // Of a TRUSTED CERTIFICATE, this leaves out what OpenSSL has put after the certificate.
      return new X509Certificate(block).toString()
    } catch (error) {
      throw unusable(`Certificate ${index + 1} in ${file} is damaged.`, variable, error)
    }
  })
}

function contentOf(path: string, file: string, variable: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    throw unusable(`${file} cannot be read (${textIn(error, 'code')}).`, variable, error)
  }
}

function unusable(message: string, variable: string, cause?: unknown): PassingFault {
  return new PassingFault('network', message, { cause, nextStep: `correct or unset ${variable}` })
}
