import type { BaseUrls } from '../../core/base-url.ts'
import type { Credential } from '../../core/credential.ts'
import type { Clock, Verdict } from '../../core/ports.ts'
import { parseUsage, type Usage } from '../../core/usage.ts'
import { passingFault } from './error-answer.ts'
import { request, type HttpAnswer } from './http.ts'
import { asObject, jsonObject } from './json-object.ts'
import { claimsOf } from './json-web-token.ts'
import { USER_AGENT } from './oauth-request.ts'
import { verdictOf } from './verdict.ts'

/** Where and how OpenAI's access tokens and API keys are tried. */
export class OpenAiBackend {
  readonly #issuer: string
  readonly #bases: BaseUrls
  readonly #clock: Clock

  constructor(issuer: string, bases: BaseUrls, clock: Clock) {
    this.#issuer = issuer
    this.#bases = bases
    this.#clock = clock
  }

  /** As the port's. An API key lists models, a personal token names its holder, any other asks for its usage. */
  async verify(credential: Credential, signal: AbortSignal): Promise<Verdict> {
    if (credential.method === 'api_key') {
      const answer = await get(`${this.#bases.openai}/models`, bearer(credential), signal)
      return verdictOf(answer, (body) => Array.isArray(body['data']))
    }
    if (isPersonal(credential)) return (await this.#holder(credential, signal)).verdict
    return this.#usageVerdict(await this.#askUsage(credential, workspaceOf(credential), signal))
  }

  /** As the port's. */
  async usage(credential: Credential, signal: AbortSignal): Promise<Usage | 'refused' | undefined> {
    if (credential.method === 'api_key') return undefined
    let workspace = workspaceOf(credential)
    if (isPersonal(credential)) {
      const { verdict, body } = await this.#holder(credential, signal)
      if (verdict === 'refused') return verdict
      workspace = workspaceIn(body, credential)
    }
    const answer = await this.#askUsage(credential, workspace, signal)
    if (this.#usageVerdict(answer) === 'refused') return 'refused'
    const usage = this.#read(answer)
    if (usage === undefined) throw passingFault(answer)
    return usage
  }

  async #holder(credential: Credential, signal: AbortSignal) {
    const path = '/api/accounts/v1/user-auth-credential/whoami'
    const answer = await get(`${this.#issuer}${path}`, bearer(credential), signal)
    const verdict = verdictOf(answer, (body) => typeof body['chatgpt_user_id'] === 'string')
    return { verdict, body: jsonObject(answer.body) ?? {} }
  }

  #askUsage(credential: Credential, workspace: Workspace, signal: AbortSignal): Promise<HttpAnswer> {
    const { chatgpt } = this.#bases
    // A gateway that is not ChatGPT's own backend has Codex's other form of the path.
    const path = new URL(chatgpt).pathname.includes('/backend-api') ? '/wham/usage' : '/api/codex/usage'
    const headers = {
      ...bearer(credential),
      ...(workspace.id !== undefined && { 'chatgpt-account-id': workspace.id }),
      ...(workspace.isFedramp && { 'x-openai-fedramp': 'true' }),
    }
    return get(`${chatgpt}${path}`, headers, signal)
  }

  #usageVerdict(answer: HttpAnswer): Verdict {
    return verdictOf(answer, () => this.#read(answer) !== undefined)
  }

  #read({ body }: HttpAnswer): Usage | undefined {
    return parseUsage(jsonObject(body), this.#clock.now())
  }
}

interface Workspace {
  readonly id: string | undefined
  /** Requests for a workspace of the US government are routed elsewhere. */
  readonly isFedramp: boolean
}

function isPersonal({ accessToken }: Credential): boolean {
  return accessToken.startsWith('at-')
}

function workspaceOf({ account, idToken, accessToken }: Credential): Workspace {
  const isFedramp = [idToken, accessToken].some((token) => {
    const claims = token === undefined ? undefined : claimsOf(token)
    return asObject(claims?.['https://api.openai.com/auth'])?.['chatgpt_account_is_fedramp'] === true
  })
  return { id: asHeader(account.id), isFedramp }
}

function workspaceIn(body: Readonly<Record<string, unknown>>, { account }: Credential): Workspace {
  const isFedramp = body['chatgpt_account_is_fedramp'] === true
  return { id: asHeader(body['chatgpt_account_id']) ?? asHeader(account.id), isFedramp }
}

/** What a token claims may hold characters that no header can. */
function asHeader(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value) ? value : undefined
}

function bearer({ accessToken }: Credential): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${accessToken}` }
}

function get(
  address: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const usual = { accept: 'application/json', 'user-agent': USER_AGENT }
  return request(address, { method: 'GET', headers: { ...usual, ...headers } }, { signal })
}
