import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenOnLoopback } from './loopback-server.ts'
import { recordOutput } from './secrets.ts'

/** A request as the model got it. Its token is a secret. */
export interface ModelRequest {
  readonly method: string
  readonly path: string
  /** The bearer token. `undefined`: there was none. */
  readonly token: string | undefined
  /** The headers that OpenAI wants for an account. */
  readonly account: string | undefined
  readonly fedramp: string | undefined
}

/** A stand-in for the model's API, as far as the Codex CLI needs it to say one sentence. */
export interface FakeModel {
  /** What a provider of Codex has as its `base_url`. */
  readonly baseUrl: string
  readonly requests: readonly ModelRequest[]
  /** Those of them that asked for an answer. */
  readonly answers: readonly ModelRequest[]
  /** Whether a request for an answer is let in; every one is unless told. What is not is answered with 401. */
  letsIn: (request: ModelRequest) => boolean | Promise<boolean>
  /** Stops listening and ends every connection. */
  close(): Promise<void>
}

/** What the model says to everything. */
export const SENTENCE = 'Hello from the stand-in.'

export async function startFakeModel(): Promise<FakeModel> {
  const server = await listenOnLoopback()
  const requests: ModelRequest[] = []
  const answers: ModelRequest[] = []
  const model: FakeModel = {
    baseUrl: `${server.origin}/v1`,
    requests,
    answers,
    letsIn: () => true,
    close: () => server.close(),
  }
  server.serve((incoming, response) => {
    const request = readRequest(incoming)
    requests.push(request)
    // The prompt and everything around it; no token belongs into it.
    incoming
      .setEncoding('utf8')
      .on('data', (text: string) => recordOutput(text, 'what Codex sent to the model'))
    if (request.method !== 'POST') return sendJson(response, 200, { models: [], data: [] })
    answers.push(request)
    void answer(model, request, response)
  })
  return model
}

function readRequest({ method = '', url = '', headers }: IncomingMessage): ModelRequest {
  const [, token] = /^Bearer (.*)$/.exec(headers.authorization ?? '') ?? []
  const one = (name: string): string | undefined => [headers[name]].flat()[0]
  return {
    method,
    path: url.replace(/\?.*/, ''),
    token,
    account: one('chatgpt-account-id'),
    fedramp: one('x-openai-fedramp'),
  }
}

async function answer(model: FakeModel, request: ModelRequest, response: ServerResponse): Promise<void> {
  if (!(await model.letsIn(request)))
    return sendJson(response, 401, { error: { message: 'token refused', code: 'invalid_token' } })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const message = {
    type: 'message',
    role: 'assistant',
    id: 'msg_1',
    content: [{ type: 'output_text', text: SENTENCE }],
  }
  const usage = {
    input_tokens: 1,
    input_tokens_details: null,
    output_tokens: 1,
    output_tokens_details: null,
    total_tokens: 2,
  }
  for (const event of [
    { type: 'response.created', response: { id: 'resp_1' } },
    { type: 'response.output_item.done', item: message },
    { type: 'response.completed', response: { id: 'resp_1', usage } },
  ])
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
