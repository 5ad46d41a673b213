import { baseUrl } from './base-url.ts'
import type { Credential } from './credential.ts'
import { remaining } from './lifetime.ts'
import type { Settings } from './settings.ts'

/** All that is told about an access token when it is handed out. `undefined` is: not known. */
export interface IssuedToken {
  readonly accessToken: string
  readonly tokenType: string
  /** Epoch seconds. */
  readonly expiresAt: number | undefined
  /** Whole seconds. */
  readonly expiresIn: number | undefined
  readonly accountId: string | undefined
  /** Where it is accepted. */
  readonly baseUrl: string | undefined
  readonly profile: string
}

/** @param now epoch seconds. */
export function issuedToken(
  credential: Credential,
  { profile, settings }: { readonly profile: string; readonly settings: Settings },
  now: number,
): IssuedToken {
  const left = remaining(credential, now)
  return {
    accessToken: credential.accessToken,
    tokenType: credential.tokenType,
    expiresAt: credential.expiresAt,
    expiresIn: left === undefined ? undefined : Math.floor(left),
    accountId: credential.account.id,
    baseUrl: baseUrl(credential, settings),
    profile,
  }
}
