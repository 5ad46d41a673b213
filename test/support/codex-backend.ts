import { mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { listenOnLoopback } from './loopback-server.ts'

/** What Codex asked, as far as it concerns who it is. */
export interface CodexRequest {
  readonly path: string
  readonly authorization: string | undefined
  readonly account: string | undefined
}

/** What stands in for ChatGPT: it routes every account, knows no models, and answers every prompt with one word. */
export interface CodexBackend {
  readonly origin: string
  /** Everything asked so far, WebSocket attempts left out. */
  readonly requests: readonly CodexRequest[]
  /** Makes Codex, with this `CODEX_HOME`, ask here and nowhere else. */
  configure(codexHome: string): void
  close(): Promise<void>
}

/** @param account the id of the account that may work here. */
export async function startCodexBackend(account: string): Promise<CodexBackend> {
  const server = await listenOnLoopback()
  const requests: CodexRequest[] = []
  server.serve((request, response) => {
    request.resume()
    // It asks for a WebSocket first, and does without.
    if (request.headers.upgrade === undefined) {
      requests.push(noted(request))
      answer(request, response, account)
    } else response.writeHead(426).end()
  })
  const { origin } = server
  return {
    origin,
    requests,
    configure: (codexHome) => {
      mkdirSync(codexHome, { recursive: true })
      writeFileSync(join(codexHome, 'config.toml'), configuration(origin))
    },
    close: () => server.close(),
  }
}

function configuration(origin: string): string {
  return [
    'model = "gpt-5"',
    `openai_base_url = "${origin}/codex"`,
    `chatgpt_base_url = "${origin}/backend-api/"`,
    'check_for_update_on_startup = false',
    'analytics = { enabled = false }',
    '',
  ].join('\n')
}

function noted({ url = '/', headers }: IncomingMessage): CodexRequest {
  const account = headers['chatgpt-account-id']
  return {
    path: url.replace(/\?.*$/, ''),
    authorization: headers.authorization,
    account: typeof account === 'string' ? account : undefined,
  }
}

function answer({ url = '/', method }: IncomingMessage, response: ServerResponse, account: string): void {
  const path = url.replace(/\?.*$/, '')
  if (path.endsWith('/wham/accounts/check')) return json(response, 200, accountsCheck(account))
  if (path.endsWith('/whoami')) return json(response, 200, whoAmI(account))
  if (path.endsWith('/models')) return json(response, 200, { models: [], data: [] })
  if (method === 'POST' && path.endsWith('/responses')) return oneWord(response)
  json(response, 404, { error: 'not_found' })
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function accountsCheck(account: string): object {
  const entry = {
    id: account,
    name: 'Personal',
    structure: 'personal',
    plan_type: 'plus',
    is_deactivated: false,
    can_access_with_session: true,
    account_routing_override: 'NO_CONSTRAINT',
    workspace_backend_origin: 'https://chatgpt.com',
  }
  return { accounts: [entry], account_ordering: [account], default_account_id: account }
}

function whoAmI(account: string): object {
  return {
    email: 'alice@example.com',
    chatgpt_user_id: 'user-1',
    chatgpt_account_id: account,
    chatgpt_plan_type: 'plus',
    chatgpt_account_is_fedramp: false,
  }
}

function oneWord(response: ServerResponse): void {
  const content = [{ type: 'output_text', text: 'hello', annotations: [] }]
  const item = { type: 'message', id: 'message-1', role: 'assistant', status: 'completed', content }
  const usage = {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  }
  const events = [
    { type: 'response.created', response: { id: 'response-1' } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id: 'response-1', output: [item], usage } },
  ]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
}
