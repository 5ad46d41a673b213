import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import { accountName } from './holder.ts'
import type { HeldCredential } from './ports.ts'
import { isOver, isSameAccount, lastingToken, readable } from './save-login.ts'

export interface KeepRequest {
  readonly profile: string
  /** `true`: it may take the place of a different account's login. */
  readonly replace: boolean
}

export interface KeptImport {
  /** What the profile holds now. */
  readonly credential: Credential
  /** The login that this one has taken the place of, and that lives on at its provider. `undefined`: none. */
  readonly replaced: Credential | undefined
}

/**
 * Saves a login that Codex had, unless this or a newer state of it is there.
 * @param now epoch seconds.
 * @throws {AuthError} `wrong_account`, any fault of the store; then nothing has changed.
 */
export function keepImported(
  held: HeldCredential,
  credential: Credential,
  { profile, replace }: KeepRequest,
  now: number,
): KeptImport {
  const before = readable(() => held.read())
  if (before !== undefined && isLater(before, credential)) return { credential: before, replaced: undefined }
  if (before !== undefined && !replace && !mayReplace(before, credential, now))
    throw otherAccount(profile, before, credential)
  held.save(credential)
  return { credential, replaced: isLost(before, credential) ? before : undefined }
}

/** It came from this very refresh token, and may have been renewed since: what Codex's file holds is not newer. */
function isLater(before: Credential, { importedFrom }: Credential): boolean {
  return before.refusal === undefined && importedFrom !== undefined && before.importedFrom === importedFrom
}

function mayReplace(before: Credential, after: Credential, now: number): boolean {
  if (isOver(before, now) || lastingToken(before) === lastingToken(after)) return true
  return before.method === after.method && isSameAccount(before.account, after.account)
}

/** Whether a refresh token that may still work is in no place any more. */
function isLost(before: Credential | undefined, after: Credential): boolean {
  return (
    before?.refreshToken !== undefined &&
    before.refusal === undefined &&
    before.refreshToken !== after.refreshToken
  )
}

function otherAccount(profile: string, before: Credential, after: Credential): AuthError {
  const [held, brought] = [before, after].map(({ method, account }) =>
    method === 'api_key' ? 'an API key' : `a login of ${accountName(account)}`,
  )
  return new AuthError(
    'wrong_account',
    `The profile "${profile}" holds ${held}, and Codex has ${brought}. Nothing was changed.`,
    {
      nextStep:
        'import into another profile (--profile <name>), or replace this login: codex-auth import codex --force',
    },
  )
}
