import { AuthError } from '../errors.ts'
import type { IssuedToken } from './issued-token.ts'
import { timestamp } from './timestamp.ts'

const GROUP = 'client.authentication.k8s.io'
const VERSIONS = [`${GROUP}/v1`, `${GROUP}/v1beta1`]
const [NEWEST = ''] = VERSIONS

/**
 * What a client of Kubernetes reads from a credential plugin (client.authentication.k8s.io, v1 and v1beta1).
 * It takes nothing but the version that it asked for, and no `null` for an end that is not known.
 * @param apiVersion as {@link requestedApiVersion} gives it.
 */
export function execCredential({ accessToken, expiresAt }: IssuedToken, apiVersion: string): object {
  const expirationTimestamp = timestamp(expiresAt)
  return {
    apiVersion,
    kind: 'ExecCredential',
    status: { token: accessToken, ...(expirationTimestamp !== null && { expirationTimestamp }) },
  }
}

/**
 * The API version that the client asks for in `KUBERNETES_EXEC_INFO`; the newest where nothing is asked.
 * @throws {AuthError} `usage` for one that is not known, or for anything but an ExecCredential.
 */
export function requestedApiVersion(execInfo: string | undefined): string {
  if (!execInfo) return NEWEST
  const { apiVersion, kind } = parse(execInfo)
  if (kind !== 'ExecCredential') throw refused('KUBERNETES_EXEC_INFO does not hold an ExecCredential.')
  const found = VERSIONS.find((version) => version === apiVersion)
  if (found !== undefined) return found
  throw refused(
    `KUBERNETES_EXEC_INFO asks for the API version ${JSON.stringify(apiVersion ?? null).slice(0, 80)}, which is not known.`,
  )
}

function parse(json: string): { readonly apiVersion?: unknown; readonly kind?: unknown } {
  try {
    return Object(JSON.parse(json))
  } catch {
    throw refused('KUBERNETES_EXEC_INFO does not hold JSON.')
  }
}

function refused(message: string): AuthError {
  return new AuthError('usage', message, { nextStep: `use apiVersion: ${VERSIONS.join(' or ')}` })
}
