import { randomBytes } from 'node:crypto'
import type { Credential } from '../../src/core/credential.ts'
import { ID_TOKEN_LIFETIME, signAccessToken, signIdToken, type FakeAccount } from './fake-issuer-jwt.ts'
import type { SecretKind } from './secrets.ts'

export type { FakeAccount } from './fake-issuer-jwt.ts'

/** What a sign-in was for. */
export interface Grant {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly account: FakeAccount
  /** From the authorization request, for the id token. `undefined`: there was none. */
  readonly nonce: string | undefined
}

/** Seconds; what is negative is over already. */
export interface Lifetimes {
  readonly accessTokenLifetime: number
  readonly refreshTokenLifetime: number
}

/** One set of tokens. Times are epoch seconds by the issuer's clock. */
export interface IssuedLogin extends Grant {
  readonly issuer: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** OpenAI's three words for a refresh token that will never work again, and the standard one for an unknown token. */
export type Refusal =
  | 'refresh_token_expired'
  | 'refresh_token_reused'
  | 'refresh_token_invalidated'
  | 'invalid_grant'

export interface Mint {
  readonly issuer: string
  /** Epoch seconds, by the issuer's clock. */
  now(): number
  /** Sees every token that is made. */
  keep(kind: SecretKind, value: string): void
}

interface Family {
  readonly grant: Grant
  alive: boolean
}

interface KnownRefreshToken {
  readonly family: Family
  readonly expiresAt: number
  spent: boolean
}

interface KnownAccessToken {
  readonly family: Family
  readonly expiresAt: number
  revoked: boolean
}

/** A token that is over when it is issued has lived so many seconds, so that its times are those of a real one. */
const WHOLE_LIFE = 3600

/**
 * The issuer's memory: each sign-in begins a family of tokens. A refresh token is good once; whoever brings it a
 * second time ends the family (RFC 9700, section 4.14.2).
 */
export class TokenFamilies {
  readonly #mint: Mint
  readonly #families = new Set<Family>()
  readonly #refreshTokens = new Map<string, KnownRefreshToken>()
  readonly #accessTokens = new Map<string, KnownAccessToken>()
  /** With the end of each. */
  readonly #idTokens = new Map<string, number>()

  constructor(mint: Mint) {
    this.#mint = mint
  }

  begin(grant: Grant, lifetimes: Lifetimes): IssuedLogin {
    const family: Family = { grant, alive: true }
    this.#families.add(family)
    return this.#issue(family, lifetimes)
  }

  /** `spend: false` leaves the old refresh token good; the new one in the result is then not to be handed out. */
  refresh(refreshToken: string, lifetimes: Lifetimes, spend: boolean): IssuedLogin | Refusal {
    const known = this.#refreshTokens.get(refreshToken)
    if (known === undefined) return 'invalid_grant'
    const { family } = known
    if (!family.alive) return 'refresh_token_invalidated'
    if (known.spent) {
      family.alive = false
      return 'refresh_token_reused'
    }
    if (known.expiresAt <= this.#mint.now()) return 'refresh_token_expired'
    known.spent = spend
    return this.#issue(family, lifetimes)
  }

  /** A refresh token takes its family with it, an access token only itself. Any other is none of ours. */
  revoke(token: string): void {
    const refreshToken = this.#refreshTokens.get(token)
    const accessToken = this.#accessTokens.get(token)
    if (refreshToken !== undefined) refreshToken.family.alive = false
    if (accessToken !== undefined) accessToken.revoked = true
  }

  isSpent(refreshToken: string): boolean {
    return this.#refreshTokens.get(refreshToken)?.spent === true
  }

  /** Whether it was issued here and has not expired. */
  isIdToken(token: string): boolean {
    return (this.#idTokens.get(token) ?? 0) > this.#mint.now()
  }

  /** Whom a living access token is for, or why it is refused. */
  bearer(token: string): FakeAccount | 'token_expired' | 'token_revoked' | 'token_invalid' {
    const known = this.#accessTokens.get(token)
    if (known === undefined) return 'token_invalid'
    if (known.revoked || !known.family.alive) return 'token_revoked'
    return known.expiresAt <= this.#mint.now() ? 'token_expired' : known.family.grant.account
  }

  /** Whether this access token, or this refresh token, would work if it were brought now. */
  accepts(token: string): boolean {
    const known = this.#refreshTokens.get(token)
    if (known === undefined) return typeof this.bearer(token) === 'object'
    return known.family.alive && !known.spent && known.expiresAt > this.#mint.now()
  }

  live(): number {
    return [...this.#families].filter((family) => family.alive).length
  }

  #issue(family: Family, { accessTokenLifetime, refreshTokenLifetime }: Lifetimes): IssuedLogin {
    const now = Math.floor(this.#mint.now())
    const expiresAt = now + accessTokenLifetime
    const issuedAt = accessTokenLifetime > 0 ? now : expiresAt - WHOLE_LIFE
    const claims = { ...family.grant, issuer: this.#mint.issuer, issuedAt, expiresAt }
    const login = {
      ...claims,
      accessToken: signAccessToken(claims),
      refreshToken: `rt_${randomBytes(48).toString('base64url')}`,
      idToken: signIdToken(claims),
    }
    this.#accessTokens.set(login.accessToken, { family, expiresAt, revoked: false })
    this.#refreshTokens.set(login.refreshToken, {
      family,
      expiresAt: now + refreshTokenLifetime,
      spent: false,
    })
    this.#idTokens.set(login.idToken, issuedAt + ID_TOKEN_LIFETIME)
    this.#mint.keep('access_token', login.accessToken)
    this.#mint.keep('refresh_token', login.refreshToken)
    this.#mint.keep('id_token', login.idToken)
    return login
  }
}

/** The login as `codex-auth` stores it. */
export function credentialOf(login: IssuedLogin): Credential {
  const { email, accountId, userId, plan } = login.account
  return {
    method: 'chatgpt',
    provider: 'openai',
    issuer: login.issuer,
    clientId: login.clientId,
    accessToken: login.accessToken,
    tokenType: 'Bearer',
    refreshToken: login.refreshToken,
    idToken: login.idToken,
    expiresAt: login.expiresAt,
    obtainedAt: login.issuedAt,
    refreshedAt: undefined,
    scopes: login.scopes,
    account: { email, id: accountId, userId, plan },
    clockSkew: 0,
    refusal: undefined,
  }
}
