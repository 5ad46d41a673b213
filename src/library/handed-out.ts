import { baseUrl } from '../core/base-url.ts'
import type { Credential } from '../core/credential.ts'
import type { Settings } from '../core/settings.ts'

/** What `codex-auth token --json` prints. */
export interface AccessToken {
  /** Secret. */
  readonly accessToken: string
  /** How to use it (RFC 6749, section 7.1): `Bearer`. */
  readonly tokenType: string
  /** Epoch seconds. `undefined`: not known, so it is used until it is refused. */
  readonly expiresAt: number | undefined
  /** At OpenAI, the id of the workspace. `undefined`: the provider names none. */
  readonly accountId: string | undefined
  /** Where it is accepted. `undefined`: only you know. */
  readonly baseUrl: string | undefined
  readonly profile: string
}

/** A credential as callers get it: without what renews it. */
export function handedOut(
  credential: Credential,
  { profile, settings }: { readonly profile: string; readonly settings: Settings },
): AccessToken {
  const { accessToken: token, tokenType, expiresAt, account } = credential
  return {
    accessToken: token,
    tokenType,
    expiresAt,
    accountId: account.id,
    baseUrl: baseUrl(credential, settings),
    profile,
  }
}
