import type { BaseUrls } from '../../core/base-url.ts'
import type { Credential } from '../../core/credential.ts'
import type {
  AuthorizationRequest,
  Clock,
  DeviceAnswer,
  DeviceAuthorization,
  Provider,
  ProviderChoice,
  RefreshOutcome,
  RefreshRequest,
  Tokens,
  Verdict,
} from '../../core/ports.ts'
import type { Usage } from '../../core/usage.ts'
import { chatGptAccount } from './account.ts'
import { authorizationRequest, sendCode, type SignInServer } from './authorization-code.ts'
import type { HttpAnswer, RequestLimits } from './http.ts'
import { issuerAddress } from './issuer-address.ts'
import { mintApiKey } from './openai-api-key.ts'
import { OpenAiBackend } from './openai-backend.ts'
import { OpenAiDeviceFlow } from './openai-device.ts'
import { OPENAI_ISSUER } from './openai-issuer.ts'
import { postJson } from './openai-request.ts'
import { confirmRevocation, refreshTokenOf, REVOCATION_TIMEOUT, tokenToRevoke } from './stored-token.ts'
import { retrying } from './retry.ts'
import { exchangedTokens, refreshOutcome, withAccount } from './token-answer.ts'

/** The public client of OpenAI's own command line tools; no other is allowed to redirect to this machine. */
const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'
const SCOPES = ['openid', 'profile', 'email', 'offline_access']

/** The name that belongs to this client id. */
const ORIGINATOR = 'codex_cli_rs'

/** OpenAI's sign-in with a ChatGPT account. Its addresses are fixed, so there is nothing to discover. */
export class OpenAiProvider implements Provider {
  readonly name = 'openai'
  readonly method = 'chatgpt'
  readonly issuer: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly #server: SignInServer
  readonly #clock: Clock
  readonly #deviceFlow: OpenAiDeviceFlow
  readonly #backend: OpenAiBackend

  /** @throws {AuthError} `usage` for an issuer that is no https address (loopback may be http). */
  constructor({ issuer, clientId, scopes }: Omit<ProviderChoice, 'name'>, clock: Clock, bases: BaseUrls) {
    this.issuer = issuerAddress(issuer ?? OPENAI_ISSUER)
    this.clientId = clientId ?? CLIENT_ID
    this.scopes = scopes ?? SCOPES
    this.#clock = clock
    this.#server = {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/oauth/authorize`,
      token_endpoint: `${this.issuer}/oauth/token`,
    }
    this.#deviceFlow = new OpenAiDeviceFlow(this.#server, this.clientId, clock)
    this.#backend = new OpenAiBackend(this.issuer, bases, clock)
  }

  discover(): Promise<void> {
    return Promise.resolve()
  }

  authorizationRequest(redirectUri: string, workspaces: readonly string[]): Promise<AuthorizationRequest> {
    const { clientId, scopes } = this
    const extra = {
      id_token_add_organizations: 'true',
      codex_cli_simplified_flow: 'true',
      originator: ORIGINATOR,
      ...(workspaces.length > 0 && { allowed_workspace_id: workspaces.join(',') }),
    }
    return authorizationRequest(this.#server, { clientId, redirectUri, scopes, extra })
  }

  /** The id token is for display only, so an unusual one is no reason to fail. */
  async exchange(sent: AuthorizationRequest, redirect: URLSearchParams): Promise<Tokens> {
    const answer = await sendCode(this.#server, this.clientId, sent, redirect)
    const tokens = exchangedTokens(answer, this.#clock.now())
    return { ...tokens, account: chatGptAccount(tokens) }
  }

  async refresh(
    credential: Credential,
    { reason, retryFor, signal }: RefreshRequest,
  ): Promise<RefreshOutcome> {
    const message = {
      client_id: credential.clientId,
      grant_type: 'refresh_token',
      refresh_reason: reason,
      refresh_token: refreshTokenOf(credential),
    }
    return retrying(
      async () => {
        const answer = await this.#postJson('/oauth/token', message)
        return withAccount(refreshOutcome(answer, this.#clock.now()), chatGptAccount)
      },
      { within: retryFor, signal },
    )
  }

  authorizeDevice(signal: AbortSignal): Promise<DeviceAuthorization> {
    return this.#deviceFlow.authorize(signal)
  }

  pollDevice(authorization: DeviceAuthorization, signal: AbortSignal): Promise<DeviceAnswer> {
    return this.#deviceFlow.poll(authorization, signal)
  }

  async revoke(credential: Credential, signal: AbortSignal): Promise<boolean> {
    const { token, hint } = tokenToRevoke(credential)
    const answer = await this.#postJson(
      '/oauth/revoke',
      // With an access token, this endpoint wants no client id.
      { token, token_type_hint: hint, ...(hint === 'refresh_token' && { client_id: credential.clientId }) },
      { timeout: REVOCATION_TIMEOUT, signal },
    )
    return confirmRevocation(answer)
  }

  verify(credential: Credential, signal: AbortSignal): Promise<Verdict> {
    return this.#backend.verify(credential, signal)
  }

  usage(credential: Credential, signal: AbortSignal): Promise<Usage | 'refused' | undefined> {
    return this.#backend.usage(credential, signal)
  }

  mintApiKey(idToken: string): Promise<string> {
    return mintApiKey(this.#server, this.clientId, idToken)
  }

  #postJson(
    path: string,
    body: Readonly<Record<string, string>>,
    limits: RequestLimits = {},
  ): Promise<HttpAnswer> {
    const headers = { originator: ORIGINATOR }
    return postJson(`${this.issuer}${path}`, { body, headers }, limits)
  }
}
