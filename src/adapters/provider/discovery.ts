import * as oauth from 'oauth4webapi'
import { baseAddress, isSafeAddress } from '../../core/safe-address.ts'
import type { SignInServer } from './authorization-code.ts'
import { passingFault } from './error-answer.ts'
import type { HttpAnswer, RequestLimits } from './http.ts'
import { jsonObject } from './json-object.ts'
import { sendOAuth } from './oauth-request.ts'
import { PassingFault } from './passing-fault.ts'

type Metadata = Readonly<Record<string, unknown>>

/**
 * What an authorization server says of itself: OpenID Connect Discovery 1.0, or RFC 8414 where there is none.
 * @throws {PassingFault} also when it says it is another issuer, or lacks an address that secrets may be sent to.
 */
export async function discoverServer(issuer: string, limits: RequestLimits): Promise<SignInServer> {
  const answer = await metadataAnswer(issuer, limits)
  const metadata = answer.status === 200 ? jsonObject(answer.body) : undefined
  if (metadata === undefined) throw withoutMetadata(answer, issuer)
  const revocation = endpoint(metadata, 'revocation_endpoint', issuer)
  const device = endpoint(metadata, 'device_authorization_endpoint', issuer)
  const userInfo = endpoint(metadata, 'userinfo_endpoint', issuer)
  const introspection = endpoint(metadata, 'introspection_endpoint', issuer)
  const introspectionMethods = strings(metadata['introspection_endpoint_auth_methods_supported'])
  const scopes = strings(metadata['scopes_supported'])
  const algorithms = strings(metadata['id_token_signing_alg_values_supported'])
  return {
    issuer: ownName(metadata, issuer, answer.host),
    authorization_endpoint: requiredEndpoint(metadata, 'authorization_endpoint', issuer, answer.host),
    token_endpoint: requiredEndpoint(metadata, 'token_endpoint', issuer, answer.host),
    ...(revocation !== undefined && { revocation_endpoint: revocation }),
    ...(device !== undefined && { device_authorization_endpoint: device }),
    ...(userInfo !== undefined && { userinfo_endpoint: userInfo }),
    ...(introspection !== undefined && { introspection_endpoint: introspection }),
    ...(introspectionMethods !== undefined && {
      introspection_endpoint_auth_methods_supported: introspectionMethods,
    }),
    ...(scopes !== undefined && { scopes_supported: scopes }),
    ...(algorithms !== undefined && { id_token_signing_alg_values_supported: algorithms }),
    authorization_response_iss_parameter_supported:
      metadata['authorization_response_iss_parameter_supported'] === true,
  }
}

async function metadataAnswer(issuer: string, limits: RequestLimits): Promise<HttpAnswer> {
  const read = (algorithm: 'oidc' | 'oauth2'): Promise<HttpAnswer> =>
    sendOAuth(issuer, limits, (options) => oauth.discoveryRequest(new URL(issuer), { ...options, algorithm }))
  const openId = await read('oidc')
  return openId.status === 404 ? read('oauth2') : openId
}

/** The issuer as the server writes it, with or without a slash at its end: its answers are compared to the letter. */
function ownName(metadata: Metadata, issuer: string, host: string): string {
  const name = metadata['issuer']
  if (typeof name === 'string' && baseAddress(name) === issuer) return name
  throw new PassingFault('invalid_answer', `${host} does not say that it is the issuer ${issuer}.`, {
    nextStep: 'check the address in --issuer',
  })
}

function requiredEndpoint(metadata: Metadata, name: string, issuer: string, host: string): string {
  const address = endpoint(metadata, name, issuer)
  if (address !== undefined) return address
  throw new PassingFault('invalid_answer', `${host} names no usable ${name.replace('_', ' ')}.`)
}

/** `undefined`: not named, or an address that is less safe than the issuer's own. */
function endpoint(metadata: Metadata, name: string, issuer: string): string | undefined {
  const address = metadata[name]
  if (typeof address !== 'string' || !isSafeAddress(address)) return undefined
  return new URL(issuer).protocol === 'https:' && new URL(address).protocol !== 'https:' ? undefined : address
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}

function withoutMetadata(answer: HttpAnswer, issuer: string): PassingFault {
  if (answer.status !== 404) return passingFault(answer)
  return new PassingFault(
    'provider_failed',
    `${answer.host} has no metadata for the issuer ${issuer} (404).`,
    {
      nextStep: 'check the address in --issuer',
    },
  )
}
