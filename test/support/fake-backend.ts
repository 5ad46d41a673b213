import type { IncomingMessage, ServerResponse } from 'node:http'
import { json, type Answer } from './fake-issuer-answer.ts'
import { deliver } from './fake-issuer-delivery.ts'
import { answers, type ScriptedAnswer } from './fake-issuer-script.ts'
import { listenOnLoopback } from './loopback-server.ts'

export interface FakeBackendOptions {
  /** Whether an access token or API key is good now. */
  accepts(token: string): boolean
}

/** One request, as it came, without the token. */
export interface BackendRequest {
  readonly method: string
  readonly path: string
  /** In lower case; `authorization` has only its scheme. */
  readonly headers: Readonly<Record<string, string>>
}

/** The places where OpenAI's tokens are accepted, as far as they tell of themselves. */
export interface FakeBackend {
  readonly origin: string
  /** For the settings of the same names. */
  readonly chatgptBaseUrl: string
  readonly openaiBaseUrl: string
  readonly requests: readonly BackendRequest[]
  /** Each for one request, in turn; then it is itself again. */
  readonly nextAnswers: ScriptedAnswer[]
  /** What is said of a plan's use. */
  usage: unknown
  /** Whose personal access tokens it knows. */
  holder: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

/** As it was seen from the real one. */
const USAGE = {
  plan_type: 'plus',
  rate_limit: {
    allowed: true,
    limit_reached: false,
    primary_window: {
      used_percent: 42,
      limit_window_seconds: 18_000,
      reset_after_seconds: 7800,
      reset_at: 1_790_007_800,
    },
    secondary_window: {
      used_percent: 15,
      limit_window_seconds: 604_800,
      reset_after_seconds: 273_600,
      reset_at: 1_790_273_600,
    },
  },
  code_review_rate_limit: null,
  additional_rate_limits: null,
  credits: { has_credits: true, unlimited: false, balance: '12.34' },
  rate_limit_reached_type: null,
}

const HOLDER = {
  email: 'alice@example.com',
  chatgpt_user_id: 'user-1',
  chatgpt_account_id: 'account-9',
  chatgpt_plan_type: 'business',
  chatgpt_account_is_fedramp: false,
}

const MODELS = { object: 'list', data: [{ id: 'gpt-5', object: 'model' }] }

type Live = Pick<FakeBackend, 'usage' | 'holder'>

export async function startFakeBackend({ accepts }: FakeBackendOptions): Promise<FakeBackend> {
  const server = await listenOnLoopback()
  const stop = new AbortController()
  const requests: BackendRequest[] = []
  const nextAnswers: ScriptedAnswer[] = []
  const backend: Live = { usage: USAGE, holder: HOLDER }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(noted(request))
    const script = nextAnswers.shift() ?? answers.genuine
    await script.beforeAnswer?.()
    const { reply, headers = {} } = script
    const genuine = respond(request, accepts, backend)
    await deliver(response, { reply, genuine, headers, stopped: stop.signal })
  }
  server.serve((request, response) => void answer(request, response))
  return Object.assign(backend, {
    origin: server.origin,
    chatgptBaseUrl: `${server.origin}/backend-api`,
    openaiBaseUrl: `${server.origin}/v1`,
    requests,
    nextAnswers,
    close: () => {
      stop.abort()
      return server.close()
    },
  })
}

function respond(request: IncomingMessage, accepts: (token: string) => boolean, backend: Live): Answer {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const body = bodyOf(`${request.method} ${request.url}`, backend)
  if (body === undefined) return json(404, { detail: 'Not Found' })
  if (accepts(token)) return json(200, body)
  const message = 'Your authentication token has been invalidated. Please try signing in again.'
  return json(401, { error: { message, code: 'token_invalidated' }, status: 401 })
}

function bodyOf(route: string, { usage, holder }: Live): object | undefined {
  switch (route) {
    case 'GET /backend-api/wham/usage':
    case 'GET /gateway/api/codex/usage':
      return usage as object
    case 'GET /api/accounts/v1/user-auth-credential/whoami':
      return holder
    case 'GET /v1/models':
      return MODELS
    default:
      return undefined
  }
}

function noted({ method = '', url = '', headers }: IncomingMessage): BackendRequest {
  const { host: _host, connection: _connection, authorization, ...rest } = headers
  const scheme = authorization?.split(' ', 1)[0]
  const shown = { ...rest, ...(scheme !== undefined && { authorization: scheme }) }
  const texts = Object.entries(shown).map(([name, value]) => [name, String(value)])
  return { method, path: url, headers: Object.fromEntries(texts) }
}
