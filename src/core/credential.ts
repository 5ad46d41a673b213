import { AuthError } from '../errors.ts'

/** How the credential came to be: OpenAI's sign-in, another OpenID provider, or a key or token given by hand. */
export type Method = 'chatgpt' | 'oauth' | 'api_key' | 'access_token'

export type ProviderName = 'openai' | 'oidc'

/** Why the provider will not renew a login again. */
export type RefusalReason = 'expired' | 'reused' | 'revoked' | 'rejected'

/** Whose login this is, as the provider says, for display. `undefined` is: not told. */
export interface Account {
  readonly email: string | undefined
  readonly id: string | undefined
  readonly userId: string | undefined
  readonly plan: string | undefined
}

/** A definite refusal, remembered so that the same refresh token is never sent again. */
export interface Refusal {
  readonly reason: RefusalReason
  /** Epoch seconds. */
  readonly at: number
}

/** One login, as it rests in a profile. All times are epoch seconds. */
export interface Credential {
  readonly method: Method
  readonly provider: ProviderName
  readonly issuer: string
  readonly clientId: string
  readonly accessToken: string
  readonly tokenType: string
  /** `undefined`: the provider gave none, so the login ends with its access token. */
  readonly refreshToken: string | undefined
  readonly idToken: string | undefined
  /** When the access token ends. `undefined`: not told, so it is used until it is refused. */
  readonly expiresAt: number | undefined
  readonly obtainedAt: number
  /** `undefined`: never refreshed since the sign-in. */
  readonly refreshedAt: number | undefined
  readonly scopes: readonly string[]
  readonly account: Account
  /** Seconds by which the provider's clock is ahead of this machine's; 0 when they agree within a minute. */
  readonly clockSkew: number
  /** `undefined`: the provider has not refused it. */
  readonly refusal: Refusal | undefined
  /** An API key that the provider gave for this login. It stays good when the login ends. Absent: none was asked for. */
  readonly mintedApiKey?: string | undefined
  /**
   * Names the refresh token with which this login was taken over from Codex's own file, or copied into it; the same through
   * all refreshes. Absent: Codex's file never held it.
   */
  readonly importedFrom?: string | undefined
}

/** The JSON in which a credential is sealed. */
export function serializeCredential(credential: Credential): string {
  const { account, refusal } = credential
  return JSON.stringify({
    method: credential.method,
    provider: credential.provider,
    issuer: credential.issuer,
    client_id: credential.clientId,
    access_token: credential.accessToken,
    token_type: credential.tokenType,
    refresh_token: credential.refreshToken,
    id_token: credential.idToken,
    expires_at: credential.expiresAt,
    obtained_at: credential.obtainedAt,
    refreshed_at: credential.refreshedAt,
    scopes: credential.scopes,
    account: { email: account.email, id: account.id, user_id: account.userId, plan: account.plan },
    clock_skew: credential.clockSkew,
    refusal: refusal && { reason: refusal.reason, at: refusal.at },
    minted_api_key: credential.mintedApiKey,
    imported_from: credential.importedFrom,
  })
}

/** Reads {@link serializeCredential}'s JSON. @throws {AuthError} `store_corrupt` when it is anything else. */
export function parseCredential(json: string): Credential {
  const value = parseObject(json)
  const account = object(value['account'])
  const mintedApiKey = optional(value['minted_api_key'], string)
  const importedFrom = optional(value['imported_from'], string)
  return {
    method: oneOf(value['method'], ['chatgpt', 'oauth', 'api_key', 'access_token']),
    provider: oneOf(value['provider'], ['openai', 'oidc']),
    issuer: string(value['issuer']),
    clientId: string(value['client_id']),
    accessToken: string(value['access_token']),
    tokenType: string(value['token_type']),
    refreshToken: optional(value['refresh_token'], string),
    idToken: optional(value['id_token'], string),
    expiresAt: optional(value['expires_at'], number),
    obtainedAt: number(value['obtained_at']),
    refreshedAt: optional(value['refreshed_at'], number),
    scopes: strings(value['scopes']),
    account: {
      email: optional(account['email'], string),
      id: optional(account['id'], string),
      userId: optional(account['user_id'], string),
      plan: optional(account['plan'], string),
    },
    clockSkew: number(value['clock_skew']),
    refusal: optional(value['refusal'], parseRefusal),
    ...(mintedApiKey !== undefined && { mintedApiKey }),
    ...(importedFrom !== undefined && { importedFrom }),
  }
}

function parseRefusal(value: unknown): Refusal {
  const refusal = object(value)
  return {
    reason: oneOf(refusal['reason'], ['expired', 'reused', 'revoked', 'rejected']),
    at: number(refusal['at']),
  }
}

function parseObject(json: string): Record<string, unknown> {
  try {
    return object(JSON.parse(json))
  } catch {
    // The parser's own message quotes the text, which is made of tokens: it must not become the cause.
    throw corrupt()
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt()
  return value as Record<string, unknown>
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw corrupt()
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw corrupt()
  return value
}

function strings(value: unknown): string[] {
  if (!Array.isArray(value)) throw corrupt()
  return value.map(string)
}

function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw corrupt()
  return found
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : parse(value)
}

function corrupt(): AuthError {
  return new AuthError('store_corrupt', 'The stored credential does not have the shape this version writes.')
}
