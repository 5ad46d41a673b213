import * as oauth from 'oauth4webapi'
import type { Clock, DeviceAnswer, DeviceAuthorization, Tokens } from '../../core/ports.ts'
import { AuthError } from '../../errors.ts'
import { chatGptAccount } from './account.ts'
import type { SignInServer } from './authorization-code.ts'
import { deviceCode, deviceTerms, userCode, waitingAnswer } from './device-code.ts'
import { errorCode, passingFault } from './error-answer.ts'
import type { HttpAnswer } from './http.ts'
import { jsonObject } from './json-object.ts'
import { sendOAuth } from './oauth-request.ts'
import { postJson } from './openai-request.ts'
import { PassingFault } from './passing-fault.ts'
import { exchangedTokens, isPassingStatus, refusalOrFault } from './token-answer.ts'

/** What the person's consent brings: a code for the token endpoint, with the verifier that OpenAI made for it. */
interface Approval {
  readonly code: string
  readonly codeVerifier: string
}

/**
 * OpenAI's variant of the device flow, which is not RFC 8628: two endpoints in JSON, whose last answer is an authorization
 * code to be traded like any other.
 */
export class OpenAiDeviceFlow {
  readonly #server: SignInServer
  readonly #clientId: string
  readonly #clock: Clock
  /** By device code: those that have not been traded, because the token endpoint could not be asked. */
  readonly #untraded = new Map<string, Approval>()

  constructor(server: SignInServer, clientId: string, clock: Clock) {
    this.#server = server
    this.#clientId = clientId
    this.#clock = clock
  }

  /** @throws {AuthError} `login_failed` where the flow is not enabled, or a code is refused; a passing fault. */
  async authorize(signal: AbortSignal): Promise<DeviceAuthorization> {
    const answer = await this.#post('usercode', { client_id: this.#clientId }, signal)
    if (answer.status === 404) throw notEnabled(answer.host)
    const body = answer.status >= 200 && answer.status < 300 ? jsonObject(answer.body) : undefined
    if (body === undefined) throw refusalOrFault(answer, 'the request for a device code')
    return {
      verificationUrl: `${this.#server.issuer}/codex/device`,
      verificationUrlComplete: undefined,
      userCode: userCode(body['user_code'] ?? body['usercode'], answer.host),
      deviceCode: deviceCode(body['device_auth_id'], answer.host),
      ...deviceTerms(body, answer, this.#clock.now()),
    }
  }

  /** @throws {AuthError} as the port has it. The signal ends the question, not the trade for tokens after it. */
  async poll(authorization: DeviceAuthorization, signal: AbortSignal): Promise<DeviceAnswer> {
    const untraded = this.#untraded.get(authorization.deviceCode)
    const approval = untraded ?? (await this.#approval(authorization, signal))
    return typeof approval === 'string' ? approval : this.#trade(authorization, approval)
  }

  async #approval(
    { deviceCode: id, userCode: code }: DeviceAuthorization,
    signal: AbortSignal,
  ): Promise<Approval | 'pending' | 'slow_down'> {
    const answer = await this.#post('token', { device_auth_id: id, user_code: code }, signal)
    // Whatever comes with it: this is how OpenAI says that nobody has entered the code yet.
    if (answer.status === 403 || answer.status === 404) return 'pending'
    const said = approvalIn(answer) ?? waitingAnswer(answer)
    if (said === undefined) throw ended(answer)
    return said
  }

  /** The code is sent once; again only after a failure of which it is certain that it was not spent. */
  async #trade({ deviceCode: id }: DeviceAuthorization, approval: Approval): Promise<Tokens> {
    this.#untraded.delete(id)
    try {
      const tokens = exchangedTokens(await this.#sendCode(approval), this.#clock.now())
      return { ...tokens, account: chatGptAccount(tokens) }
    } catch (error) {
      if (!(error instanceof PassingFault)) throw error
      if (!error.mayRetry) throw lost(error)
      this.#untraded.set(id, approval)
      throw error
    }
  }

  #sendCode({ code, codeVerifier }: Approval): Promise<HttpAnswer> {
    const { issuer } = this.#server
    const client = { client_id: this.#clientId }
    const parameters = { code, redirect_uri: `${issuer}/deviceauth/callback`, code_verifier: codeVerifier }
    return sendOAuth(issuer, {}, (options) =>
      oauth.genericTokenEndpointRequest(
        this.#server,
        client,
        oauth.None(),
        'authorization_code',
        parameters,
        options,
      ),
    )
  }

  #post(
    endpoint: 'usercode' | 'token',
    body: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const address = `${this.#server.issuer}/api/accounts/deviceauth/${endpoint}`
    return postJson(address, { body }, { signal })
  }
}

function approvalIn({ status, body }: HttpAnswer): Approval | undefined {
  const values = status >= 200 && status < 300 ? jsonObject(body) : undefined
  const [code, codeVerifier] = [values?.['authorization_code'], values?.['code_verifier']]
  if (typeof code !== 'string' || typeof codeVerifier !== 'string') return undefined
  return code === '' || codeVerifier === '' ? undefined : { code, codeVerifier }
}

function notEnabled(host: string): AuthError {
  return new AuthError('login_failed', `Sign-in with a device code is not enabled at ${host}.`, {
    nextStep:
      'enable device code sign-in in the security settings of ChatGPT, or use the browser: codex-auth login',
  })
}

/** Any 4xx that is not about the moment is definite here, with or without a word for it. */
function ended(answer: HttpAnswer): AuthError {
  const { host, status } = answer
  if (status < 400 || status >= 500 || isPassingStatus(status)) return passingFault(answer)
  const code = errorCode(answer)
  const why = code === undefined ? `${status}` : `${status}, ${code}`
  return new AuthError('login_failed', `${host} ended the sign-in with this device code (${why}).`)
}

/** The code may be spent, and polling brings no other one. */
function lost(fault: PassingFault): AuthError {
  const message = `The sign-in was confirmed, but its tokens did not arrive: ${fault.message}`
  return new AuthError('login_failed', message, { cause: fault })
}
