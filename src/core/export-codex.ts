import { AuthError } from '../errors.ts'
import { parseCodexAuth, type CodexChatGptLogin, type CodexLogin } from './codex-auth-file.ts'
import { codexAuthText, ownerId } from './codex-auth-text.ts'
import { codexAccount } from './codex-credential.ts'
import type { CodexHome, HeldCodexFile } from './codex-home.ts'
import { unusedFile } from './codex-refusal.ts'
import type { Account, Credential } from './credential.ts'
import { checkExportable } from './exportable.ts'
import type { TokenFacts } from './log-in-secret.ts'
import type { HeldCredential, LockHolder } from './ports.ts'
import { present, type RefreshPorts } from './refresh.ts'
import { accountName } from './holder.ts'
import { isSameAccount } from './save-login.ts'

export interface ExportRequest {
  readonly profile: string
  /** `true`: the profile keeps the login as well. */
  readonly copy: boolean
  /** `true`: it may take the place of a different account's login. */
  readonly replace: boolean
  readonly factsOf: (token: string) => TokenFacts
  onWait?(holder: LockHolder, waited: number): void
}

export interface Exported {
  /** What Codex has now. */
  readonly credential: Credential
  /** `true`: the profile does not have it any more. */
  readonly moved: boolean
  /** A login of Codex's own was replaced that lives on at its provider. */
  readonly hasReplaced: boolean
  /** Codex looks into the system's keyring before it looks into its file. */
  readonly mayBeHidden: boolean
}

/**
 * Gives a profile's login to Codex. A sign-in that renews itself is moved: it is in Codex's file, durably, before it
 * leaves the profile, and doing it again finishes the job without bringing back what Codex has renewed meanwhile. Keys
 * and tokens that do not renew themselves are copied. The network is not used.
 * @throws {AuthError} `not_logged_in`, `refresh_refused`, `not_refreshable` for a login that gives no token, `usage` for
 * one that Codex does not know, `wrong_account`, `codex_unreadable`, `store_busy`, any fault of the store; then both hold
 * what they held.
 */
export async function exportCodex(
  request: ExportRequest,
  codex: CodexHome,
  { store, clock }: RefreshPorts,
): Promise<Exported> {
  const { profile, onWait } = request
  const storage = codex.storage()
  if (storage === 'keyring' || storage === 'ephemeral') throw unusedFile(storage, codex.path)
  return store.exclusively(profile, {
    work: async (held) => {
      const { credential } = present(held.read(), profile)
      checkExportable(credential, profile, request.factsOf, clock.now())
      const hasReplaced = await codex.exclusively((file) =>
        hand(held, credential, file, request, codex.path, clock.now()),
      )
      const moved = !request.copy && credential.refreshToken !== undefined
      if (moved) held.remove()
      return { credential, moved, hasReplaced, mayBeHidden: storage === 'auto' }
    },
    ...(onWait && { onWait }),
  })
}

/**
 * Whatever is renewed here from now on, after a copy as after a move that was killed, is newer than what Codex gets: an
 * import has to know that again.
 */
async function rememberHandover(held: HeldCredential, credential: Credential): Promise<void> {
  if (credential.refreshToken === undefined) return
  const importedFrom = await ownerId(credential)
  if (importedFrom !== credential.importedFrom) held.save({ ...credential, importedFrom })
}

/** Whether a login of Codex's own was replaced that may still work. */
async function hand(
  held: HeldCredential,
  credential: Credential,
  file: HeldCodexFile,
  request: ExportRequest,
  path: string,
  now: number,
): Promise<boolean> {
  const before = await file.read()
  const found = before === undefined ? undefined : parseCodexAuth(before, path)
  const lying: CodexLogin = found ?? { kind: 'none' }
  const isThere = lying.kind === 'chatgpt' && (await holds(lying, credential))
  const isOwn = isThere || isOfSameAccount(lying, credential, request.factsOf)
  if (!isOwn && !request.replace && !isWorthless(lying, request.factsOf, now))
    throw otherAccount(request, credential, lying)
  await rememberHandover(held, credential)
  if (isThere) return false
  const text = await codexAuthText(credential, { before, keepsApiKey: isOwn && lying.kind === 'chatgpt' })
  if (!(await file.replace(before, text))) throw changed(path)
  return lying.kind === 'chatgpt' && !['', credential.refreshToken].includes(lying.refreshToken)
}

/** Whether it is this login, or a newer state of it. Under its name also lies what an import has left of it: no refresh token. */
async function holds(lying: CodexChatGptLogin, credential: Credential): Promise<boolean> {
  return lying.refreshToken !== '' && lying.ownerId === (await ownerId(credential))
}

function isOfSameAccount(
  lying: CodexLogin,
  { method, accessToken, account }: Credential,
  factsOf: ExportRequest['factsOf'],
): boolean {
  if (lying.kind === 'chatgpt')
    return method === 'chatgpt' && isSameAccount(codexAccount(lying, factsOf), account)
  return lying.kind === method && lying.secret === accessToken
}

/** Nothing is lost with it. */
function isWorthless(lying: CodexLogin, factsOf: ExportRequest['factsOf'], now: number): boolean {
  if (lying.kind !== 'chatgpt') return lying.kind === 'none'
  const { expiresAt } = factsOf(lying.accessToken)
  return lying.refreshToken === '' && expiresAt !== undefined && expiresAt <= now
}

function otherAccount(
  { profile, factsOf }: ExportRequest,
  { method, account }: Credential,
  lying: CodexLogin,
): AuthError {
  const mine = method === 'api_key' ? 'an API key' : `a login of ${accountName(account)}`
  return new AuthError(
    'wrong_account',
    `Codex has ${described(lying, factsOf)}, and the profile "${profile}" holds ${mine}. Nothing was changed.`,
    {
      nextStep:
        'sign out of Codex first (codex logout), or replace its login: codex-auth export codex --force',
    },
  )
}

function described(lying: CodexLogin, factsOf: ExportRequest['factsOf']): string {
  const account: Account | undefined = lying.kind === 'chatgpt' ? codexAccount(lying, factsOf) : undefined
  if (account !== undefined) return `a login of ${accountName(account)}`
  return lying.kind === 'api_key' ? 'an API key' : 'another way to sign in'
}

function changed(path: string): AuthError {
  return new AuthError('store_busy', `Codex's file ${path} was changed by a release that knows no lock.`, {
    nextStep: 'end Codex, and try again',
  })
}
