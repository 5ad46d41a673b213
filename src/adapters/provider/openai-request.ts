import { request, type HttpAnswer, type RequestLimits } from './http.ts'
import { USER_AGENT } from './oauth-request.ts'

interface JsonMessage {
  readonly body: Readonly<Record<string, string>>
  /** Besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>>
}

/** OpenAI's own endpoints, and its token endpoint for a refresh, speak JSON. Sends once, as {@link request}. */
export function postJson(
  address: string,
  { body, headers = {} }: JsonMessage,
  limits: RequestLimits = {},
): Promise<HttpAnswer> {
  const usual = {
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
  }
  return request(
    address,
    { method: 'POST', headers: { ...usual, ...headers }, body: JSON.stringify(body) },
    limits,
  )
}
