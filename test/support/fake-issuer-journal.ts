import type { IncomingMessage } from 'node:http'
import { parseJson } from './fake-issuer-answer.ts'
import type { Counters, IssuerState, Parameters, ReceivedRequest } from './fake-issuer-state.ts'
import type { SecretKind } from './secrets.ts'

const SECRET_PARAMETERS: Readonly<Record<string, SecretKind>> = {
  code: 'authorization_code',
  code_verifier: 'code_verifier',
  refresh_token: 'refresh_token',
  subject_token: 'id_token',
  token: 'other',
  state: 'state',
  nonce: 'nonce',
}

/** Writes a request down, with its secrets. */
export function note(
  issuer: IssuerState,
  request: IncomingMessage,
  read: Pick<ReceivedRequest, 'path' | 'contentType' | 'parameters'>,
): void {
  for (const [name, kind] of Object.entries(SECRET_PARAMETERS)) {
    const value = read.parameters?.[name]
    if (typeof value === 'string') issuer.keep(kind, value)
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  const headerNames = Object.keys(headers).toSorted()
  issuer.requests.push({ method: request.method ?? '', ...read, headerNames, headers })
}

export function countGrant(counters: Counters, parameters: Parameters): void {
  const grantType = parameters?.['grant_type']
  if (grantType === 'refresh_token') counters.refreshes += 1
  if (grantType === 'authorization_code') counters.exchanges += 1
  if (grantType === 'urn:ietf:params:oauth:grant-type:token-exchange') counters.apiKeys += 1
}

/** `undefined`: not what the content type says, or a parameter sent twice (RFC 6749, section 3.2). */
export function parseBody(contentType: string, body: string): Parameters {
  if (contentType === 'application/json') return parseJson(body)
  if (contentType !== 'application/x-www-form-urlencoded') return undefined
  const entries = [...new URLSearchParams(body)]
  const parameters = Object.fromEntries(entries)
  return Object.keys(parameters).length === entries.length ? parameters : undefined
}
