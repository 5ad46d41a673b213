import type { Account, Credential, Method, ProviderName, RefusalReason } from './credential.ts'
import type { Usage } from './usage.ts'

/** The time, as this machine has it. */
export interface Clock {
  /** Epoch seconds, with fractions. */
  now(): number
}

/** A credential together with the number of its write in this profile, which grows by one each time. */
export interface StoredCredential {
  readonly credential: Credential
  readonly generation: number
}

/** Who holds a profile's lock, for the person who waits. `undefined` fields are not known. */
export interface LockHolder {
  readonly pid: number | undefined
  readonly command: string | undefined
  /** Epoch seconds. */
  readonly since: number | undefined
}

export interface Exclusive<T> {
  /**
   * Looks at what is stored now; anything but `undefined` ends the wait with that value. It is asked at every try
   * while another process holds the lock, and once more with the lock held. What it throws ends the wait as well.
   */
  settled?(): T | undefined
  /** Runs with the lock held. */
  work(held: HeldCredential): Promise<T>
  /** `true`: a signal does not end the wait, since the caller holds an answer that exists nowhere else. */
  readonly uninterruptible?: boolean
  /** Called about once a second while another process holds the lock. `waited` is in seconds. */
  onWait?(holder: LockHolder, waited: number): void
}

/** Credentials at rest, one per profile. Every method throws {@link AuthError} with a `store_*` or `key_*` code. */
export interface CredentialStore {
  /** Reads without a lock. `undefined`: nothing is stored. Never `undefined` for something that cannot be read. */
  read(profile: string): StoredCredential | undefined
  /** The names of all profiles with something stored, sorted, readable or not. */
  profiles(): string[]
  /** Where and under which key source a profile rests, whether or not it can be read. */
  describe(profile: string): StoreDescription
  /**
   * One process at a time per profile.
   * @throws {AuthError} `store_busy` when the lock is not had within its deadline; `interrupted` or `terminated`
   * when a signal came while waiting.
   */
  exclusively<T>(profile: string, options: Exclusive<T>): Promise<T>
  /**
   * Puts an answer that could not take its place when it came, because the disk failed, where it belongs. Does nothing
   * where there is none, or where the disk still fails: {@link read} finds it all the same.
   */
  recover(profile: string): Promise<void>
  /** Removes every file of a profile without reading it; what could not be read goes as well. */
  forget(profile: string): Promise<void>
}

export interface StoreDescription {
  readonly path: string
  readonly keySource: 'file'
}

/** A refresh token that a process was spending when it died. */
export interface Spending {
  readonly pid: number | undefined
  /** Epoch seconds. */
  readonly since: number
}

/** A profile's credential while this process holds its lock. */
export interface HeldCredential {
  read(): StoredCredential | undefined
  /**
   * Proves that an answer can be kept, before anything irrevocable is asked of the provider: room for it is written
   * and flushed beside the credential. @throws {AuthError} `store_unwritable`.
   */
  reserve(): void
  /** Records that this refresh token is about to be spent, by whom and since when, for whoever finds the lock after a crash. */
  recordSpending(refreshToken: string): void
  /**
   * Seals and replaces the credential, flushes file and folder, reads it back and compares.
   * What lay there and could not be read is set aside, not overwritten.
   */
  save(credential: Credential): StoredCredential
  /** Removes the credential. The number of its last write stays, so that an older copy put back later is noticed. */
  remove(): void
  /** The process that died while it was spending this refresh token. `undefined`: none is known of. */
  spentBefore(refreshToken: string): Spending | undefined
  /** Gives back what {@link reserve} took and was not used. */
  release(): void
}

/** What a token endpoint answered (RFC 6749, section 5.1). Times are epoch seconds. */
export interface Tokens {
  readonly accessToken: string
  readonly tokenType: string
  /** `undefined`: the answer has none; at a refresh, the one before stays valid. */
  readonly refreshToken: string | undefined
  readonly idToken: string | undefined
  readonly expiresAt: number | undefined
  /** `undefined`: as requested. */
  readonly scopes: readonly string[] | undefined
  /** `undefined`: the answer says nothing of the account. */
  readonly account: Account | undefined
  readonly clockSkew: number
}

/** Either new tokens, or a definite refusal. A passing failure is thrown instead. */
export type RefreshOutcome =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }

/** One authorization request (RFC 6749, section 4.1.1, with RFC 7636). Its fields other than `url` are secrets. */
export interface AuthorizationRequest {
  readonly url: string
  readonly state: string
  readonly redirectUri: string
  readonly codeVerifier: string
  /** `undefined`: none was sent. */
  readonly nonce: string | undefined
  /** This provider names itself in every redirect, and one without a name is not to be trusted (RFC 9207, section 2.4). */
  readonly issuerInRedirect: boolean
}

/** A device code that waits for its person. */
export interface DeviceAuthorization {
  /** The page to open on any device. */
  readonly verificationUrl: string
  /** The same with the code filled in. `undefined`: the provider has no such page. */
  readonly verificationUrlComplete: string | undefined
  readonly userCode: string
  /** Epoch seconds. */
  readonly expiresAt: number
  /** Seconds between two polls, at least 1. */
  readonly interval: number
  /** Secret: names this sign-in to the provider. */
  readonly deviceCode: string
}

/** `slow_down`: not finished, and polls must come five seconds further apart from now on (RFC 8628, section 3.5). */
export type DeviceAnswer = 'pending' | 'slow_down' | Tokens

/** Why a refresh is asked for; OpenAI's endpoint is told. */
export type RefreshReason = 'proactive_expiry' | 'forced'

export interface RefreshRequest {
  readonly reason: RefreshReason
  /** Seconds in which an attempt that certainly spent nothing may be repeated; 0: there is one attempt. */
  readonly retryFor: number
  /** Ends the pauses between attempts, never an attempt. */
  readonly signal: AbortSignal
}

/** What a provider says of an access token that it was shown. */
export type Verdict = 'valid' | 'refused'

/** An authorization server. Passing faults are thrown with a code of exit 5, and then nothing was changed there that we know of. */
export interface Provider {
  readonly name: ProviderName
  readonly method: Method
  readonly issuer: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Learns what must be known before anything is spent (for `oidc`, discovery). Safe to repeat. */
  discover(signal: AbortSignal): Promise<void>
  /** @param workspaces only these may be chosen, where the provider knows such a thing; none: any. */
  authorizationRequest(redirectUri: string, workspaces: readonly string[]): Promise<AuthorizationRequest>
  /**
   * Checks the redirect's parameters and trades the authorization code for tokens.
   * @throws {AuthError} `login_denied` for `error=access_denied`, `login_failed` for any other refusal.
   */
  exchange(request: AuthorizationRequest, redirect: URLSearchParams): Promise<Tokens>
  /**
   * Sends the refresh token. It is sent again only after a failure of which it is certain that nothing was spent: the
   * server was not reached, or put the request off (429, 503).
   */
  refresh(credential: Credential, request: RefreshRequest): Promise<RefreshOutcome>
  /**
   * Asks for a code that the person enters on another device (RFC 8628, or OpenAI's variant of it).
   * @throws {AuthError} `login_failed` when this provider or client has no such flow.
   */
  authorizeDevice(signal: AbortSignal): Promise<DeviceAuthorization>
  /**
   * Asks once whether the person has finished.
   * @throws {AuthError} `login_denied`, `login_timeout` when the code has expired, `login_failed`; a passing fault says nothing
   * about the sign-in, and asking may go on.
   */
  pollDevice(authorization: DeviceAuthorization, signal: AbortSignal): Promise<DeviceAnswer>
  /** RFC 7009. `false`: the provider has no revocation endpoint. @throws {AuthError} when it did not confirm. */
  revoke(credential: Credential, signal: AbortSignal): Promise<boolean>
  /**
   * Makes a request with the access token that changes nothing. `refused` is said only of the token itself.
   * @throws {AuthError} a passing fault for whatever says nothing of it; `not_verifiable` where there is no such request.
   */
  verify(credential: Credential, signal: AbortSignal): Promise<Verdict>
  /**
   * How much of a plan is used, as {@link verify} asks. `undefined`: this provider does not tell.
   * @throws as {@link verify}.
   */
  usage(credential: Credential, signal: AbortSignal): Promise<Usage | 'refused' | undefined>
  /**
   * Trades an id token for an API key.
   * @throws {AuthError} `no_api_key` when the provider refuses; `usage` where it has no such thing; a passing fault.
   */
  mintApiKey(idToken: string): Promise<string>
}

/** Which authorization server, as chosen by flags, settings or a stored credential. `undefined`: the provider's default. */
export interface ProviderChoice {
  readonly name: ProviderName
  readonly issuer: string | undefined
  readonly clientId: string | undefined
  readonly scopes: readonly string[] | undefined
}

export interface Providers {
  /** @throws {AuthError} `usage` for an issuer that is no https address (loopback may be http), or a missing one. */
  open(choice: ProviderChoice): Promise<Provider>
}

export interface ListenOptions {
  /** Tried in this order; `0` is any free port. */
  readonly ports: readonly number[]
  readonly redirectHost: 'localhost' | '127.0.0.1'
  /** An address to listen on besides loopback, such as `0.0.0.0`. `undefined`: none. */
  readonly listen?: string | undefined
}

/** The temporary server that the redirect comes back to (RFC 8252, section 7.3). */
export interface RedirectListener {
  /** @throws {AuthError} `no_redirect_port` when none of the ports can be had on every loopback family. */
  listen(options: ListenOptions): Promise<Listening>
}

export interface Listening {
  readonly redirectUri: string
  readonly port: number
  /**
   * Resolves with the first request that has the exact state; any other is answered and ignored.
   * @throws the signal's reason when it is aborted first.
   */
  redirect(state: string, signal: AbortSignal): Promise<Redirect>
  /** Stops listening and ends every connection, at once. Safe to repeat. */
  close(): Promise<void>
}

export interface Redirect {
  readonly parameters: URLSearchParams
  /**
   * Shows the result to the waiting browser. Resolves when it has been delivered, or after a limit well below a second
   * when the browser does not fetch it; never rejects.
   */
  answer(result: SignInResult): Promise<void>
}

/** Why a sign-in did not finish, as far as it can be told in any language. */
export type SignInFailure = 'denied' | 'wrong_account' | 'provider' | 'store'

/** What the page after the sign-in says. Nothing in it is secret. */
export type SignInResult =
  | {
      readonly kind: 'signed_in'
      readonly account: Account
      readonly profile: string
      readonly issuer: string
    }
  | {
      readonly kind: 'failed'
      /** Absent: something else, which only the message tells. */
      readonly reason?: SignInFailure
      readonly message: string
      readonly nextStep: string
    }

export interface Browser {
  /** Opens the address. `false`: no browser could be started; the address must be shown. */
  open(url: string): Promise<boolean>
}

/** A sign-in that waits for its person. */
export interface SignInProgress {
  readonly pid: number
  /** Epoch seconds. */
  readonly since: number
  readonly method: 'browser' | 'device_code'
}

/** A sign-in of any profile, as another process sees it. */
export interface OtherSignIn extends SignInProgress {
  readonly profile: string
  /** Where it waits for its redirect. `undefined`: it does not. */
  readonly port: number | undefined
}

export interface Announcement {
  /** Aborted with `taken_over` when another process takes this sign-in's place. */
  readonly takenOver: AbortSignal
  /** Ends the announcement. Never throws. */
  end(): void
}

/** Tells other processes that a sign-in is waiting, through files that only this user can write. */
export interface SignIns {
  begin(profile: string, method: SignInProgress['method'], port: number | undefined): Announcement
  /** `undefined`: none is waiting, or the process that announced it is gone. */
  current(profile: string): SignInProgress | undefined
  /** Asks those that match to end. `true`: one of them, asked now or before, is about to; one that is stopped is not. */
  takeOver(matches: (signIn: OtherSignIn) => boolean): boolean
}

/** A program to run. Nothing in it is read by a shell. */
export interface CommandToRun {
  /** Looked for in `PATH`, unless there is a slash in it. */
  readonly file: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Runs it with our own standard streams. Resolves with its exit code, or with 128 + n when signal n ended it.
 * @throws {AuthError} `command_not_found`, `command_not_executable`.
 */
export type RunCommand = (command: CommandToRun) => Promise<number>

/** What a person types, or a program writes, to us. */
export interface Input {
  /** A person is typing: what is asked is answered. */
  readonly isTerminal: boolean
  /** Lines as they come. The end of the input ends them quietly; so does the signal. */
  lines(signal: AbortSignal): AsyncIterable<string>
  /** Asks a person and resolves with the line they type. @throws the signal's reason. */
  ask(question: string, signal: AbortSignal): Promise<string>
  /** The first line; on a terminal, after this prompt and without showing it. Empty when there is none. @throws the signal's reason. */
  secret(prompt: string, signal: AbortSignal): Promise<string>
}
