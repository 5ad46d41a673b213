import { randomBytes, randomUUID } from 'node:crypto'

/** The person who signs in at the fake issuer. */
export interface FakeAccount {
  readonly email: string
  readonly accountId: string
  readonly userId: string
  readonly plan: string
}

export interface Claims {
  readonly issuer: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly account: FakeAccount
  /** Epoch seconds. */
  readonly issuedAt: number
  /** Epoch seconds, of the access token. */
  readonly expiresAt: number
  readonly nonce: string | undefined
}

/** Seconds. An id token's end says nothing of the login's. */
export const ID_TOKEN_LIFETIME = 3600

/**
 * Three parts with a signature that nobody can check: a client without keys takes the claims on the word of the
 * connection that they came by.
 */
export function jwt(claims: object): string {
  const header = { alg: 'RS256', typ: 'JWT', kid: 'fake-issuer' }
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return [...parts, randomBytes(256).toString('base64url')].join('.')
}

export function signAccessToken({ issuer, clientId, scopes, account, issuedAt, expiresAt }: Claims): string {
  return jwt({
    iss: issuer,
    aud: ['https://api.openai.com/v1'],
    client_id: clientId,
    sub: account.userId,
    jti: randomUUID(),
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    scp: scopes,
    'https://api.openai.com/auth': accountClaims(account),
    'https://api.openai.com/profile': { email: account.email, email_verified: true },
  })
}

export function signIdToken({ issuer, clientId, account, issuedAt, nonce }: Claims): string {
  return jwt({
    iss: issuer,
    aud: [clientId],
    sub: account.userId,
    jti: randomUUID(),
    email: account.email,
    email_verified: true,
    iat: issuedAt,
    exp: issuedAt + ID_TOKEN_LIFETIME,
    nonce,
    'https://api.openai.com/auth': accountClaims(account),
  })
}

function accountClaims(account: FakeAccount): object {
  return {
    chatgpt_account_id: account.accountId,
    chatgpt_plan_type: account.plan,
    chatgpt_user_id: account.userId,
    user_id: account.userId,
  }
}
