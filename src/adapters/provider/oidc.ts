import * as oauth from 'oauth4webapi'
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
import { AuthError } from '../../errors.ts'
import { openIdAccount } from './account.ts'
import { authorizationRequest, sendCode, type SignInServer } from './authorization-code.ts'
import { discoverServer } from './discovery.ts'
import type { RequestLimits } from './http.ts'
import { checkIdToken } from './id-token.ts'
import { issuerAddress } from './issuer-address.ts'
import { sendOAuth } from './oauth-request.ts'
import { deviceAnswer, deviceAuthorization, requestDeviceCode, sendDeviceCode } from './oidc-device.ts'
import { verifyAtServer } from './oidc-verify.ts'
import { confirmRevocation, refreshTokenOf, REVOCATION_TIMEOUT, tokenToRevoke } from './stored-token.ts'
import { retrying } from './retry.ts'
import { exchangedTokens, refreshOutcome, withAccount } from './token-answer.ts'

const SCOPES = ['openid', 'profile', 'email', 'offline_access']

/** Any OpenID provider, or OAuth server with metadata, at which this program is a public client. */
export class OidcProvider implements Provider {
  readonly name = 'oidc'
  readonly method = 'oauth'
  readonly issuer: string
  readonly clientId: string
  readonly #chosenScopes: readonly string[] | undefined
  readonly #clock: Clock
  #server: SignInServer | undefined

  /** @throws {AuthError} `usage` without an issuer or a client id, or for an issuer that is no https address. */
  constructor({ issuer, clientId, scopes }: Omit<ProviderChoice, 'name'>, clock: Clock) {
    this.issuer = issuerAddress(issuer ?? missing('issuer', '--issuer https://auth.example.com'))
    this.clientId = clientId || missing('client id', '--client-id <id>, as registered at the provider')
    this.#chosenScopes = scopes
    this.#clock = clock
  }

  /** The usual ones that the server knows; before it was asked, all of them. What was chosen is left as it is. */
  get scopes(): readonly string[] {
    const known = this.#server?.scopes_supported
    if (this.#chosenScopes !== undefined) return this.#chosenScopes
    return known === undefined
      ? SCOPES
      : SCOPES.filter((scope) => scope === 'openid' || known.includes(scope))
  }

  async discover(signal: AbortSignal): Promise<void> {
    await this.#discovered({ signal })
  }

  async authorizationRequest(redirectUri: string): Promise<AuthorizationRequest> {
    const server = await this.#discovered()
    const { clientId, scopes } = this
    const nonce = scopes.includes('openid') ? oauth.generateRandomNonce() : undefined
    return authorizationRequest(server, { clientId, redirectUri, scopes, nonce, extra: consent(scopes) })
  }

  async exchange(request: AuthorizationRequest, redirect: URLSearchParams): Promise<Tokens> {
    const server = await this.#discovered()
    const answer = await sendCode(server, this.clientId, request, redirect)
    const tokens = exchangedTokens(answer, this.#clock.now())
    await checkIdToken(server, this.clientId, request, tokens)
    return { ...tokens, account: openIdAccount(tokens) }
  }

  async refresh(credential: Credential, { retryFor, signal }: RefreshRequest): Promise<RefreshOutcome> {
    const refreshToken = refreshTokenOf(credential)
    const server = await this.#discovered()
    const client = { client_id: credential.clientId }
    return retrying(
      async () => {
        const answer = await sendOAuth(this.issuer, {}, (options) =>
          oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, options),
        )
        return withAccount(refreshOutcome(answer, this.#clock.now()), openIdAccount)
      },
      { within: retryFor, signal },
    )
  }

  async authorizeDevice(signal: AbortSignal): Promise<DeviceAuthorization> {
    const server = await this.#discovered({ signal })
    const parameters = { scope: this.scopes.join(' '), ...consent(this.scopes) }
    const answer = await requestDeviceCode(server, this.clientId, parameters, signal)
    return deviceAuthorization(answer, this.#clock.now())
  }

  async pollDevice(authorization: DeviceAuthorization, signal: AbortSignal): Promise<DeviceAnswer> {
    const server = await this.#discovered({ signal })
    const answer = await sendDeviceCode(server, this.clientId, authorization, signal)
    const tokens = deviceAnswer(answer, this.#clock.now())
    if (typeof tokens === 'string') return tokens
    await checkIdToken(server, this.clientId, { nonce: undefined }, tokens)
    return { ...tokens, account: openIdAccount(tokens) }
  }

  async revoke(credential: Credential, signal: AbortSignal): Promise<boolean> {
    const end = performance.now() + REVOCATION_TIMEOUT
    const server = await this.#discovered({ timeout: REVOCATION_TIMEOUT, signal })
    if (server.revocation_endpoint === undefined) return false
    const { token, hint } = tokenToRevoke(credential)
    const client = { client_id: credential.clientId }
    const limits = { timeout: Math.max(1, end - performance.now()), signal }
    const answer = await sendOAuth(this.issuer, limits, (options) =>
      oauth.revocationRequest(server, client, oauth.None(), token, {
        ...options,
        additionalParameters: { token_type_hint: hint },
      }),
    )
    return confirmRevocation(answer)
  }

  async verify(credential: Credential, signal: AbortSignal): Promise<Verdict> {
    return verifyAtServer(await this.#discovered({ signal }), credential, signal)
  }

  usage(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  mintApiKey(): Promise<never> {
    const { host } = new URL(this.issuer)
    throw new AuthError('usage', `${host} has no API keys to give: only OpenAI does.`, {
      nextStep: 'use the access token: codex-auth token',
    })
  }

  async #discovered(limits: RequestLimits = {}): Promise<SignInServer> {
    this.#server ??= await discoverServer(this.issuer, limits)
    return this.#server
  }
}

/** Without it, a provider may leave out the refresh token (OpenID Connect Core 1.0, section 11). */
function consent(scopes: readonly string[]): Readonly<Record<string, string>> {
  return scopes.includes('offline_access') ? { prompt: 'consent' } : {}
}

function missing(what: string, nextStep: string): never {
  throw new AuthError('usage', `An OpenID provider needs its ${what}.`, { nextStep })
}
