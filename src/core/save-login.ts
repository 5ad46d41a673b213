import { AuthError } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { Account, Credential } from './credential.ts'
import { accountName, holderName } from './holder.ts'
import { isLiving } from './lifetime.ts'
import type { Provider, StoredCredential, Tokens } from './ports.ts'
import { revocation, type Revocation } from './revocation.ts'
import type { RefreshPorts } from './refresh.ts'

/** Whose login may be saved. */
export interface AccountRules {
  /** Only one of these workspaces; none: any. */
  readonly workspaces: readonly string[]
  /** The address or id the account must have. `undefined`: any. */
  readonly expected: string | undefined
  /**
   * Whether this login may take the place of one that is a different account's, or may be; asked only then.
   * @throws the signal's reason.
   */
  mayReplace(before: Credential, after: Credential, signal: AbortSignal): Promise<boolean>
}

export interface LoggedIn {
  readonly stored: StoredCredential
  /** What became of the login that was there before. `undefined`: there was none, or nothing to revoke. */
  readonly previous: Revocation | undefined
}

/** A disk that takes nothing is better known before the person signs in than after. @throws {AuthError} as the store. */
export async function proveWritable(profile: string, { store }: RefreshPorts): Promise<void> {
  await store.exclusively(profile, {
    work: async (held) => {
      held.reserve()
      held.release()
    },
  })
}

/** Ctrl-C is one way to answer whether to replace a login, and must not keep the new tokens alive. */
const NEVER = new AbortController().signal

/**
 * Saves a new login. The one before stays until this one is saved and read back; only then is it revoked.
 * @throws {AuthError} `wrong_account`, `store_busy`, and then these tokens are revoked and nothing has changed; any fault of
 * the store.
 */
export async function saveLogin(
  profile: string,
  credential: Credential,
  rules: AccountRules,
  ports: RefreshPorts,
): Promise<StoredCredential & { readonly before: Credential | undefined }> {
  try {
    await checkAccount(profile, credential, rules, ports)
  } catch (error) {
    await revokeUnused(profile, credential, ports)
    throw error
  }
  let hasBegun = false
  try {
    return await ports.store.exclusively(profile, {
      uninterruptible: true,
      work: async (held) => {
        hasBegun = true
        const before = readable(() => held.read())
        return { ...held.save(credential), before }
      },
    })
  } catch (error) {
    // A save that has failed may have kept them at a second place; without the lock, there was none.
    if (!hasBegun) await revokeUnused(profile, credential, ports)
    throw error
  }
}

/** Tokens that nobody will use should not work either. Whether that is confirmed changes nothing here. */
async function revokeUnused(
  profile: string,
  credential: Credential,
  { store, providers }: RefreshPorts,
): Promise<void> {
  const kept = readable(() => store.read(profile))
  if (kept === undefined || !mayShareGrant(kept, credential))
    await revocation(credential, { providers, interruption: NEVER })
}

/** What lies there and cannot be read cannot be compared or revoked either; saving sets it aside. */
export function readable(read: () => StoredCredential | undefined): Credential | undefined {
  const stored = attemptRead(read)
  return stored instanceof AuthError ? undefined : stored?.credential
}

async function checkAccount(
  profile: string,
  credential: Credential,
  rules: AccountRules,
  { store, clock, interruption }: RefreshPorts,
): Promise<void> {
  const fault = accountFault(credential.account, rules)
  if (fault !== undefined) throw fault
  const before = readable(() => store.read(profile))
  if (before === undefined || isOver(before, clock.now()) || isSame(before, credential)) return
  if (await rules.mayReplace(before, credential, interruption)) return
  throw new AuthError(
    'wrong_account',
    `The profile "${profile}" holds a login of ${holderName(before)}, and ${arrival(credential)}. Nothing was changed.`,
    {
      nextStep:
        'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force',
    },
  )
}

/** Why this is none of the accounts that were asked for. `undefined`: it is one. */
export function accountFault(
  account: Account,
  { workspaces, expected }: Pick<AccountRules, 'workspaces' | 'expected'>,
): AuthError | undefined {
  if (workspaces.length > 0 && !workspaces.some((workspace) => workspace === account.id)) {
    return new AuthError(
      'wrong_account',
      `This sign-in is limited to the workspace ${workspaces.join(' or ')}, and another was chosen.`,
    )
  }
  if (expected === undefined || isCalled(account, expected)) return undefined
  return new AuthError(
    'wrong_account',
    `The sign-in was for ${expected}, and ${accountName(account)} signed in.`,
  )
}

/** Nothing is lost with a login that gives no token any more. */
export function isOver(credential: Credential, now: number): boolean {
  if (credential.refusal !== undefined) return true
  return credential.refreshToken === undefined && !isLiving(credential, now)
}

function isCalled({ email, id, userId }: Account, name: string): boolean {
  return [email, id, userId].some((known) => known?.toLowerCase() === name.toLowerCase())
}

/**
 * Whether two logins count as one account's. A key that names nobody does not: it would end the sign-in of a person unasked.
 */
function isSame(before: Credential, after: Credential): boolean {
  const [one, other] = [before.account, after.account]
  if (isGiven(after) && before.refreshToken !== undefined && sharedFields(one, other).length === 0)
    return false
  return isSameAccount(one, other)
}

/** Two accounts that have nothing in common that could be compared are taken for the same. */
export function isSameAccount(one: Account, other: Account): boolean {
  return sharedFields(one, other).every((field) => one[field] === other[field])
}

function sharedFields(one: Account, other: Account) {
  const fields = ['id', 'userId', 'email'] as const
  return fields.filter((field) => one[field] !== undefined && other[field] !== undefined)
}

function arrival(credential: Credential): string {
  const name = holderName(credential)
  if (!isGiven(credential)) return `${name} signed in`
  return name === accountName(credential.account) ? `the token is one of ${name}` : `${name} was given`
}

function isGiven({ method }: Credential): boolean {
  return method === 'api_key' || method === 'access_token'
}

/** Ends the login that was there before, at its provider. `undefined`: there is none, or none that may be ended. */
export async function revokePrevious(
  before: Credential | undefined,
  after: Credential,
  ports: RefreshPorts,
): Promise<Revocation | undefined> {
  if (before === undefined || lastingToken(before) === lastingToken(after)) return undefined
  return mayShareGrant(before, after) ? undefined : revocation(before, ports)
}

export function lastingToken({ refreshToken, accessToken }: Credential): string {
  return refreshToken ?? accessToken
}

/**
 * OpenID providers commonly keep one grant for each browser session, account and client, and revoke it whole: revoking the
 * old login of the same account would then end the one just saved. Its refresh token is only forgotten instead.
 */
function mayShareGrant(before: Credential, after: Credential): boolean {
  if (before.provider !== 'oidc' || after.provider !== 'oidc') return false
  if (before.issuer !== after.issuer || before.clientId !== after.clientId) return false
  const [one, other] = [before.account.id, after.account.id]
  return one === undefined || other === undefined || one === other
}

const NOBODY: Account = { email: undefined, id: undefined, userId: undefined, plan: undefined }

/** @param now epoch seconds. */
export function credentialOf(provider: Provider, tokens: Tokens, now: number): Credential {
  return {
    method: provider.method,
    provider: provider.name,
    issuer: provider.issuer,
    clientId: provider.clientId,
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    refreshToken: tokens.refreshToken,
    idToken: tokens.idToken,
    expiresAt: tokens.expiresAt,
    obtainedAt: Math.floor(now),
    refreshedAt: undefined,
    scopes: tokens.scopes ?? provider.scopes,
    account: tokens.account ?? NOBODY,
    clockSkew: tokens.clockSkew,
    refusal: undefined,
  }
}
