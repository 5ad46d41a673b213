import * as oauth from 'oauth4webapi'
import { request, type HttpAnswer, type RequestLimits } from './http.ts'

/** Named in every request; OpenAI's own client names itself here, and we are not that. */
export const USER_AGENT = 'codex-auth'

interface OAuthRequestOptions {
  readonly headers: Record<string, string>
  readonly [oauth.allowInsecureRequests]: boolean
  readonly [oauth.customFetch]: (url: string, message: FetchMessage) => Promise<Response>
}

interface FetchMessage {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: URLSearchParams | undefined
}

/**
 * Lets oauth4webapi make a request and {@link request} send it. The answer is handed back as it came, for readers
 * that do not lose a rotated refresh token to a detail.
 * @param issuer only an http one, which is a loopback address, makes http endpoints acceptable
 */
export async function sendOAuth(
  issuer: string,
  limits: RequestLimits,
  make: (options: OAuthRequestOptions) => Promise<Response>,
): Promise<HttpAnswer> {
  const answers: HttpAnswer[] = []
  await make({
    headers: { 'user-agent': USER_AGENT },
    [oauth.allowInsecureRequests]: new URL(issuer).protocol === 'http:',
    [oauth.customFetch]: async (url, { method, headers, body }) => {
      answers.push(await request(url, { method, headers, body: body?.toString() }, limits))
      return new Response()
    },
  })
  const [answer] = answers
  if (answer === undefined) throw new Error('oauth4webapi sent nothing')
  return answer
}
