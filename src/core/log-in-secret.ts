import { AuthError } from '../errors.ts'
import type { Account, Credential } from './credential.ts'
import type { RefreshPorts } from './refresh.ts'
import { revokePrevious, saveLogin, type AccountRules, type LoggedIn } from './save-login.ts'

/** What an access token says of itself. `undefined`: nothing. */
export interface TokenFacts {
  readonly account: Account | undefined
  /** Epoch seconds. */
  readonly expiresAt: number | undefined
  /** What it may be used for. `undefined`: it does not say. */
  readonly scopes: readonly string[] | undefined
  /** It has the three parts of a JSON Web Token. */
  readonly isJwt: boolean
}

/** Keys and tokens given by hand are OpenAI's. */
const OPENAI_ISSUER = 'https://auth.openai.com'

/** Characters. Longer than any key, and no longer than a header may be. */
const LIMIT = 16 * 1024

/** Signs of something copied with its surroundings: quotes, an object, `NAME=` before it. Gateways use many others in their keys. */
const COPIED_ALONG = /["'`{}<>]|^[A-Za-z_]\w*=[^=]/

const NOBODY: Account = { email: undefined, id: undefined, userId: undefined, plan: undefined }

export interface SecretRequest {
  readonly profile: string
  readonly method: 'api_key' | 'access_token'
  /** As typed; spaces around it do not count. */
  readonly secret: string
  readonly accounts: AccountRules
  readonly factsOf: (token: string) => TokenFacts
}

/**
 * Saves an API key or access token given by hand.
 * @throws {AuthError} `usage` for what cannot be one, `wrong_account`, any fault of the store.
 */
export async function logInWithSecret(request: SecretRequest, ports: RefreshPorts): Promise<LoggedIn> {
  const { profile, method, secret, accounts, factsOf } = request
  const credential = credentialFromSecret(method, secret, factsOf, ports.clock.now())
  const { before, ...stored } = await saveLogin(profile, credential, accounts, ports)
  return { stored, previous: await revokePrevious(before, stored.credential, ports) }
}

/** Only the shape is checked; whether it works shows when it is used. What was given is in no message. */
function credentialFromSecret(
  method: 'api_key' | 'access_token',
  given: string,
  factsOf: (token: string) => TokenFacts,
  now: number,
): Credential {
  const secret = given.trim()
  const facts = factsOf(secret)
  checkShape(method, secret, facts)
  if (facts.expiresAt !== undefined && facts.expiresAt <= now) {
    throw new AuthError('usage', 'This access token has expired.', { nextStep: 'bring a new one' })
  }
  return givenCredential(method, secret, facts, now)
}

/** A key or token that was given by hand, as a credential that cannot be renewed. */
export function givenCredential(
  method: 'api_key' | 'access_token',
  secret: string,
  { account, expiresAt }: TokenFacts,
  now: number,
): Credential {
  return {
    method,
    provider: 'openai',
    issuer: OPENAI_ISSUER,
    clientId: '',
    accessToken: secret,
    tokenType: 'Bearer',
    refreshToken: undefined,
    idToken: undefined,
    expiresAt,
    obtainedAt: Math.floor(now),
    refreshedAt: undefined,
    scopes: [],
    account: account ?? NOBODY,
    clockSkew: 0,
    refusal: undefined,
  }
}

function checkShape(method: 'api_key' | 'access_token', secret: string, { isJwt }: TokenFacts): void {
  const what = method === 'api_key' ? 'API key' : 'access token'
  if (secret === '') throw wrong(`No ${what} came on standard input.`, method)
  if (secret.length > LIMIT || !/^[\x21-\x7e]+$/.test(secret))
    throw wrong(`This is no ${what}: it must be one word.`, method)
  if (COPIED_ALONG.test(secret))
    throw wrong(`This is no ${what}: bring it alone, with no quotes or name around it.`, method)
  const isAccessToken = isJwt || /^at-./.test(secret)
  if (method === 'api_key' && isAccessToken)
    throw wrong('This is an access token, not an API key.', 'access_token')
  if (method === 'access_token' && !isAccessToken) {
    throw wrong('This is no access token: it is neither a JSON Web Token nor begins with "at-".', method)
  }
}

function wrong(message: string, method: 'api_key' | 'access_token'): AuthError {
  const flag = method === 'api_key' ? '--with-api-key' : '--with-access-token'
  return new AuthError('usage', message, { nextStep: `printf %s "$SECRET" | codex-auth login ${flag}` })
}
