import { createHash, randomBytes, randomInt } from 'node:crypto'
import { json, oauthError, type Answer } from './fake-issuer-answer.ts'
import { issueCode } from './fake-issuer-authorize.ts'
import type { IssuerState, Parameters } from './fake-issuer-state.ts'

export const USER_CODE = 'POST /api/accounts/deviceauth/usercode'
export const DEVICE_TOKEN = 'POST /api/accounts/deviceauth/token'

/** What a poll is answered: nothing has happened so far, a fault, or what the person has decided. */
export type DevicePoll = 'approved' | 'denied' | 'expired' | 400 | 403 | 404 | 429 | 500

/** A code that was handed out for another device. */
export interface DeviceSignIn {
  readonly userCode: string
  /** Epoch seconds, by the issuer's clock. */
  readonly expiresAt: number
  /** How many polls were answered. */
  polls: number
}

/** Seconds. */
const LIFETIME = 15 * 60
const SCOPES = ['openid', 'profile', 'email', 'offline_access']
/** None that is taken for another when it is read aloud. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'

const REFUSALS: Readonly<Record<Exclude<DevicePoll, 'approved'>, readonly [status: number, code: string]>> = {
  denied: [400, 'access_denied'],
  expired: [400, 'expired_token'],
  400: [400, 'invalid_request'],
  403: [403, 'deviceauth_authorization_pending'],
  404: [404, 'deviceauth_authorization_pending'],
  429: [429, 'rate_limit_exceeded'],
  500: [500, 'server_error'],
}

/** OpenAI's own endpoint, in JSON; a number of seconds comes as a string. */
export function userCode(issuer: IssuerState, contentType: string, parameters: Parameters): Answer {
  const { enabled, interval } = issuer.behaviour.device
  if (!enabled) return json(404, { error: { code: 'not_found', message: 'Not Found' } })
  if (contentType !== 'application/json' || parameters?.['client_id'] !== issuer.clientId) {
    return oauthError(400, 'invalid_request', 'client_id is required, in JSON')
  }
  const id = `deviceauth_${randomBytes(32).toString('base64url')}`
  const signIn = { userCode: `${letters(4)}-${letters(5)}`, expiresAt: issuer.now() + LIFETIME, polls: 0 }
  issuer.keep('other', id)
  issuer.devices.set(id, signIn)
  return json(200, { device_auth_id: id, user_code: signIn.userCode, interval })
}

/** Where a client asks whether the person has entered the code: once they have, for a code to be traded. */
export function devicePoll(issuer: IssuerState, contentType: string, parameters: Parameters): Answer {
  const id = String(parameters?.['device_auth_id'])
  const device = contentType === 'application/json' ? issuer.devices.get(id) : undefined
  if (device === undefined || device.userCode !== parameters?.['user_code']) return unknown()
  const { polls } = issuer.behaviour.device
  const next = polls[Math.min(device.polls, polls.length - 1)] ?? 'approved'
  device.polls += 1
  if (device.expiresAt <= issuer.now()) return refusal(...REFUSALS.expired)
  if (next !== 'approved') return refusal(...REFUSALS[next])
  issuer.devices.delete(id)
  return approval(issuer)
}

function approval(issuer: IssuerState): Answer {
  const verifier = randomBytes(64).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  issuer.keep('code_verifier', verifier)
  const redirectUri = `${issuer.origin}/deviceauth/callback`
  const code = issueCode(issuer, { redirectUri, challenge, scopes: SCOPES, nonce: undefined })
  return json(200, { authorization_code: code, code_challenge: challenge, code_verifier: verifier })
}

/** Also for a code that was traded: it is forgotten, as if it never was. */
function unknown(): Answer {
  return refusal(404, 'deviceauth_authorization_unknown')
}

function refusal(status: number, code: string): Answer {
  return json(status, { error: { code, message: 'The device could not be signed in.', type: null } })
}

function letters(count: number): string {
  return Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}
