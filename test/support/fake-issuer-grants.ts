import { createHash, randomBytes } from 'node:crypto'
import { json, oauthError, type Answer } from './fake-issuer-answer.ts'
import type { IssuerState, Parameters } from './fake-issuer-state.ts'
import type { IssuedLogin, Lifetimes, Refusal } from './fake-issuer-tokens.ts'

type Known = Exclude<Parameters, undefined>

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token'

/** The token endpoint: three grants, each in the one content type in which OpenAI's own client sends it. */
export function token(issuer: IssuerState, contentType: string, parameters: Parameters): Answer {
  if (parameters === undefined) return oauthError(400, 'invalid_request', 'malformed body')
  if (parameters['client_id'] !== issuer.clientId) return oauthError(401, 'invalid_client')
  const grantType = parameters['grant_type']
  if (contentType === FORM && grantType === 'authorization_code') return exchange(issuer, parameters)
  if (contentType === FORM && grantType === TOKEN_EXCHANGE) return exchangeForApiKey(issuer, parameters)
  if (contentType === JSON_TYPE && grantType === 'refresh_token') return refresh(issuer, parameters)
  return oauthError(400, 'unsupported_grant_type', `not a grant in ${contentType}`)
}

/** The revocation endpoint (RFC 7009), in JSON. An unknown token is none that lives, so that is a success. */
export function revoke(issuer: IssuerState, contentType: string, parameters: Parameters): Answer {
  const value = parameters?.['token']
  if (contentType !== JSON_TYPE || typeof value !== 'string') {
    return oauthError(400, 'invalid_request', 'token is required, in JSON')
  }
  const hint = parameters?.['token_type_hint']
  if (hint !== 'access_token' && parameters?.['client_id'] !== issuer.clientId) {
    return oauthError(401, 'invalid_client')
  }
  issuer.families.revoke(value)
  return json(200, {})
}

/** A protected resource: says whose access token this is, while it lives. */
export function me(issuer: IssuerState, authorization: string | undefined): Answer {
  const bearer = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
  const holder = bearer === undefined ? 'token_missing' : issuer.families.bearer(bearer)
  if (typeof holder === 'string') return json(401, { error: { code: holder } })
  const { email, accountId, userId, plan } = holder
  return json(200, { email, account_id: accountId, user_id: userId, plan })
}

function exchange(issuer: IssuerState, parameters: Known): Answer {
  const code = issuer.codes.get(String(parameters['code']))
  if (code === undefined) return oauthError(400, 'invalid_grant', 'unknown code')
  if (code.used) {
    // Either use may be the thief's (RFC 6749, section 4.1.2).
    if (code.refreshToken !== undefined) issuer.families.revoke(code.refreshToken)
    return oauthError(400, 'invalid_grant', 'the code was used before')
  }
  code.used = true
  if (code.expiresAt <= issuer.now()) return oauthError(400, 'invalid_grant', 'the code has expired')
  if (code.redirectUri !== parameters['redirect_uri']) {
    return oauthError(400, 'invalid_grant', 'redirect_uri is not the one of the authorization request')
  }
  if (code.challenge !== s256(parameters['code_verifier'])) {
    return oauthError(400, 'invalid_grant', 'code_verifier does not match the code_challenge')
  }
  const { account, scopes, nonce } = code
  const grant = { account, scopes, nonce, clientId: issuer.clientId }
  const login = issuer.families.begin(grant, lifetimes(issuer))
  code.refreshToken = login.refreshToken
  return tokens(issuer, login, true)
}

function refresh(issuer: IssuerState, parameters: Known): Answer {
  const { rotate } = issuer.behaviour
  const refreshToken = String(parameters['refresh_token'])
  if (issuer.families.isSpent(refreshToken)) issuer.counters.spentTwice += 1
  const outcome = issuer.families.refresh(refreshToken, lifetimes(issuer), rotate)
  return typeof outcome === 'string' ? refusal(outcome) : tokens(issuer, outcome, rotate)
}

function exchangeForApiKey(issuer: IssuerState, parameters: Known): Answer {
  const asked = parameters['requested_token'] === 'openai-api-key'
  if (!asked || parameters['subject_token_type'] !== ID_TOKEN_TYPE) return oauthError(400, 'invalid_request')
  if (!issuer.families.isIdToken(String(parameters['subject_token']))) return oauthError(400, 'invalid_grant')
  const apiKey = `sk-proj-${randomBytes(48).toString('base64url')}`
  issuer.keep('api_key', apiKey)
  return json(200, { access_token: apiKey })
}

function tokens(issuer: IssuerState, login: IssuedLogin, withRefreshToken: boolean): Answer {
  return json(200, {
    access_token: login.accessToken,
    token_type: 'Bearer',
    expires_in: Math.max(0, login.expiresAt - Math.floor(issuer.now())),
    ...(withRefreshToken && { refresh_token: login.refreshToken }),
    id_token: login.idToken,
    scope: login.scopes.join(' '),
  })
}

/** OpenAI nests its own codes in an object; `invalid_grant` comes as RFC 6749, section 5.2 has it. */
function refusal(code: Refusal): Answer {
  if (code === 'invalid_grant') return oauthError(400, code, 'unknown refresh token')
  const message = 'Your refresh token can no longer be used. Please sign in again.'
  return json(401, { error: { message, type: 'invalid_request_error', param: null, code } })
}

function lifetimes({ behaviour }: IssuerState): Lifetimes {
  const { accessTokenLifetime, refreshTokenLifetime } = behaviour
  return { accessTokenLifetime, refreshTokenLifetime }
}

function s256(verifier: unknown): string | undefined {
  // RFC 7636, section 4.1.
  if (typeof verifier !== 'string' || !/^[\w.~-]{43,128}$/.test(verifier)) return undefined
  return createHash('sha256').update(verifier).digest('base64url')
}
