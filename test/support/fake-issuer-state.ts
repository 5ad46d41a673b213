import type { DevicePoll, DeviceSignIn } from './fake-issuer-device.ts'
import type { ScriptedAnswer } from './fake-issuer-script.ts'
import type { FakeAccount, TokenFamilies } from './fake-issuer-tokens.ts'
import type { SecretKind } from './secrets.ts'

/** How the issuer behaves from now on. A test may change any of it between two requests. */
export interface Behaviour {
  /** Seconds; a negative one is issued already expired. */
  accessTokenLifetime: number
  /** Seconds. */
  refreshTokenLifetime: number
  /** `false`: a refresh leaves the refresh token as it is, and the answer has none. */
  rotate: boolean
  /** Who signs in. */
  account: FakeAccount
  /** What the sign-in page sends back instead of a code. */
  authorizationError: { readonly error: string; readonly description?: string } | undefined
  /** Sent back with the code, such as `scope` or `iss`. */
  redirectParameters: Readonly<Record<string, string>>
  /** Sign-in with a code that is entered on another device. */
  device: DeviceBehaviour
  /** Seconds by which the issuer's clock is ahead of this machine's. */
  clockOffset: number
  /** Milliseconds between processing a request for tokens and its answer. */
  answerDelay: number
  /** Given to every request for tokens for which `nextAnswers` has nothing: an outage. */
  standingAnswer: ScriptedAnswer | undefined
}

export interface DeviceBehaviour {
  /** `false`: the person has not allowed it in the security settings. */
  readonly enabled: boolean
  /** Seconds between two polls, as a string or a number; `undefined` is left out. */
  readonly interval: unknown
  /** What the first poll of each code is answered, the second, and so on; the last one is for all that follow. */
  readonly polls: readonly DevicePoll[]
}

/** How often each thing was asked for, whatever came of it. */
export interface Counters {
  /** Refresh requests. */
  refreshes: number
  /** Refresh requests with a token that had been spent. */
  spentTwice: number
  /** Exchanges of an authorization code. */
  exchanges: number
  /** Exchanges of an id token for an API key. */
  apiKeys: number
  revocations: number
}

/** Of a query or a body. `undefined`: the body was not read, or is not what its content type says. */
export type Parameters = Readonly<Record<string, unknown>> | undefined

/** One request, as it came. Its parameters and headers hold secrets. */
export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  /** Without its parameters; empty: none was sent. */
  readonly contentType: string
  /** In lower case, sorted. */
  readonly headerNames: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly parameters: Parameters
}

export interface AuthorizationCode {
  readonly redirectUri: string
  readonly challenge: string
  readonly scopes: readonly string[]
  readonly nonce: string | undefined
  readonly account: FakeAccount
  /** Epoch seconds. */
  readonly expiresAt: number
  used: boolean
  /** The refresh token that it was traded for. */
  refreshToken: string | undefined
}

/** All that the endpoints share. */
export interface IssuerState {
  readonly origin: string
  readonly clientId: string
  readonly anyRedirectPort: boolean
  readonly behaviour: Behaviour
  readonly counters: Counters
  readonly families: TokenFamilies
  readonly codes: Map<string, AuthorizationCode>
  /** By device code, until it is traded. */
  readonly devices: Map<string, DeviceSignIn>
  readonly requests: ReceivedRequest[]
  /** Answers of an endpoint, by method and path, each for one request. */
  readonly scripts: ReadonlyMap<string, ScriptedAnswer[]>
  /** What went wrong in the issuer itself. */
  readonly faults: unknown[]
  readonly stopped: AbortSignal
  /** Epoch seconds, by the issuer's clock. */
  now(): number
  keep(kind: SecretKind, value: string): void
}
