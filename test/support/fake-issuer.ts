import { DEVICE_TOKEN, USER_CODE } from './fake-issuer-device.ts'
import { REVOKE, serveIssuer, TOKEN } from './fake-issuer-requests.ts'
import type { ScriptedAnswer } from './fake-issuer-script.ts'
import type { Behaviour, Counters, IssuerState, ReceivedRequest } from './fake-issuer-state.ts'
import { TokenFamilies, type FakeAccount, type IssuedLogin } from './fake-issuer-tokens.ts'
import { listenOnLoopback } from './loopback-server.ts'
import { recordSecret, type SecretKind } from './secrets.ts'

export { jwt } from './fake-issuer-jwt.ts'
export { answers, hold, type ScriptedAnswer } from './fake-issuer-script.ts'
export type { Behaviour, ReceivedRequest } from './fake-issuer-state.ts'
export { credentialOf, type FakeAccount, type IssuedLogin } from './fake-issuer-tokens.ts'

export interface FakeIssuerOptions extends Partial<Behaviour> {
  readonly clientId?: string
  /** 0, the default: any free one. */
  readonly port?: number
  /** `true`: a redirect URI may have any port, not 1455 and 1457 only. */
  readonly anyRedirectPort?: boolean
}

export interface LoginOverrides {
  readonly accessTokenLifetime?: number
  readonly refreshTokenLifetime?: number
  readonly account?: FakeAccount
  readonly scopes?: readonly string[]
}

export interface FakeIssuer extends Readonly<Counters> {
  /** The base address: `http://127.0.0.1:PORT`. */
  readonly issuer: string
  readonly clientId: string
  readonly behaviour: Behaviour
  /** Answers of the token endpoint, each for one request, in turn; then it is itself again. */
  readonly nextAnswers: ScriptedAnswer[]
  /** The same for the revocation endpoint. */
  readonly nextRevocationAnswers: ScriptedAnswer[]
  /** The same for the two endpoints of a sign-in on another device. */
  readonly nextUserCodeAnswers: ScriptedAnswer[]
  readonly nextDevicePollAnswers: ScriptedAnswer[]
  readonly requests: readonly ReceivedRequest[]
  /** Every token, code, verifier, state and nonce that was issued or received. */
  readonly secrets: ReadonlySet<string>
  /** How many logins have not been ended. */
  liveFamilies(): number
  /** Whether this access or refresh token would work if it were brought now. */
  accepts(token: string): boolean
  /** Ends the login of this refresh token, as a person does on the provider's own pages. */
  endLogin(refreshToken: string): void
  /** A login without the browser; as the issuer behaves, unless told. */
  issueLogin(overrides?: LoginOverrides): IssuedLogin
  /**
   * Stops listening and ends every connection. Safe to repeat.
   * @throws {AggregateError} what failed in the issuer itself since it started, such as a hook that threw.
   */
  close(): Promise<void>
}

const DEFAULTS: Behaviour = {
  accessTokenLifetime: 3600,
  refreshTokenLifetime: 30 * 24 * 3600,
  rotate: true,
  account: { email: 'alice@example.com', accountId: 'account-1', userId: 'user-1', plan: 'plus' },
  authorizationError: undefined,
  redirectParameters: {},
  // As the real one: a string.
  device: { enabled: true, interval: '5', polls: ['approved'] },
  clockOffset: 0,
  answerDelay: 0,
  standingAnswer: undefined,
}
const SCOPES = ['openid', 'profile', 'email', 'offline_access']

/**
 * An issuer on this machine that speaks OpenAI's dialect: it rotates refresh tokens, and ends a login of which one is
 * spent twice.
 */
export async function startFakeIssuer(options: FakeIssuerOptions = {}): Promise<FakeIssuer> {
  const { clientId = 'app_EMoamEEZ73f0CkXaXp7hrann', port = 0, anyRedirectPort = false, ...changes } = options
  const behaviour: Behaviour = { ...DEFAULTS, ...changes }
  const server = await listenOnLoopback(port)
  const stop = new AbortController()
  const secrets = new Set<string>()
  const given = { origin: server.origin, clientId, anyRedirectPort, behaviour, stopped: stop.signal }
  const state = stateOf(given, secrets)
  server.serve(serveIssuer(state))
  return face(state, secrets, async () => {
    stop.abort()
    await server.close()
    if (state.faults.length > 0) throw new AggregateError(state.faults, 'the fake issuer itself failed')
  })
}

type Given = Pick<IssuerState, 'origin' | 'clientId' | 'anyRedirectPort' | 'behaviour' | 'stopped'>

function stateOf(given: Given, secrets: Set<string>): IssuerState {
  const now = (): number => Date.now() / 1000 + given.behaviour.clockOffset
  const keep = (kind: SecretKind, value: string): void => {
    secrets.add(value)
    recordSecret(value, kind)
  }
  return {
    ...given,
    counters: { refreshes: 0, spentTwice: 0, exchanges: 0, apiKeys: 0, revocations: 0 },
    families: new TokenFamilies({ issuer: given.origin, now, keep }),
    codes: new Map(),
    devices: new Map(),
    requests: [],
    scripts: new Map([TOKEN, REVOKE, USER_CODE, DEVICE_TOKEN].map((route) => [route, []])),
    faults: [],
    now,
    keep,
  }
}

function face(state: IssuerState, secrets: ReadonlySet<string>, close: () => Promise<void>): FakeIssuer {
  const { behaviour, counters, families } = state
  return {
    issuer: state.origin,
    clientId: state.clientId,
    behaviour,
    nextAnswers: state.scripts.get(TOKEN) ?? [],
    nextRevocationAnswers: state.scripts.get(REVOKE) ?? [],
    nextUserCodeAnswers: state.scripts.get(USER_CODE) ?? [],
    nextDevicePollAnswers: state.scripts.get(DEVICE_TOKEN) ?? [],
    requests: state.requests,
    secrets,
    get refreshes() {
      return counters.refreshes
    },
    get spentTwice() {
      return counters.spentTwice
    },
    get exchanges() {
      return counters.exchanges
    },
    get apiKeys() {
      return counters.apiKeys
    },
    get revocations() {
      return counters.revocations
    },
    liveFamilies: () => families.live(),
    accepts: (token) => families.accepts(token),
    endLogin: (refreshToken) => families.revoke(refreshToken),
    issueLogin: ({ account = behaviour.account, scopes = SCOPES, ...lifetimes } = {}) =>
      families.begin(
        { account, scopes, clientId: state.clientId, nonce: undefined },
        { ...behaviour, ...lifetimes },
      ),
    close,
  }
}
