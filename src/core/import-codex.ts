import { AuthError } from '../errors.ts'
import { parseCodexAuth, type CodexChatGptLogin, type CodexLogin } from './codex-auth-file.ts'
import { credentialFromCodex } from './codex-credential.ts'
import type { CodexHome, HeldCodexFile } from './codex-home.ts'
import { bound, elsewhere, movedAway, nobody } from './codex-refusal.ts'
import { codexSettled, type SettledRequest } from './codex-settled.ts'
import type { Credential } from './credential.ts'
import { withMember } from './json-text.ts'
import { keepImported, type KeepRequest, type KeptImport } from './keep-imported.ts'
import { givenCredential } from './log-in-secret.ts'
import type { HeldCredential, Provider } from './ports.ts'
import type { RefreshPorts } from './refresh.ts'
import { readable } from './save-login.ts'

export interface ImportRequest extends KeepRequest, SettledRequest {
  /** `true`: Codex keeps the login as well. */
  readonly copy: boolean
}

export interface Imported extends KeptImport {
  /** `moved_before`: an earlier import has done it, and nothing was changed. */
  readonly outcome: 'moved' | 'copied' | 'moved_before'
  /** The file begins with a byte order mark, because of which Codex itself cannot read it. */
  readonly isMarked: boolean
}

type Done = Omit<Imported, 'isMarked'>

/**
 * Brings Codex's login into a profile. A sign-in that renews itself is moved: saved here first, and only then is its
 * refresh token taken out of Codex's file, so that whatever happens in between, at least one has it, and doing it again
 * finishes the job. Keys and tokens that do not renew themselves are copied. The network is not used.
 * @throws {AuthError} `not_logged_in`, `codex_unreadable`, `wrong_account`, `store_busy`, any fault of the store; then
 * Codex's file is what it was.
 */
export async function importCodex(
  request: ImportRequest,
  codex: CodexHome,
  ports: RefreshPorts,
): Promise<Imported> {
  const storage = codex.storage()
  if (storage === 'keyring' || storage === 'ephemeral') throw elsewhere(storage, codex.path)
  const text = await codex.read()
  if (text === undefined) throw nobody(`there is no ${codex.path}`, storage)
  const done = await bring(parseCodexAuth(text, codex.path), request, codex, ports)
  return { ...done, isMarked: text.startsWith('\uFEFF') }
}

async function bring(
  login: CodexLogin,
  request: ImportRequest,
  codex: CodexHome,
  ports: RefreshPorts,
): Promise<Done> {
  if (login.kind !== 'chatgpt') return copySecret(login, request, codex, ports)
  if (login.refreshToken === '') return movedBefore(login, request, codex, ports)
  if (request.copy) return copy(login, request, codex, ports)
  await codexSettled(request, codex, ports)
  return ports.store.exclusively(request.profile, {
    work: (held) => codex.exclusively((file) => move(held, file, request, codex, ports)),
  })
}

/** Tries. A release that knows no lock writes for an instant, once in an hour. */
const TRIES = 5

async function move(
  held: HeldCredential,
  file: HeldCodexFile,
  request: ImportRequest,
  codex: CodexHome,
  ports: RefreshPorts,
): Promise<Done> {
  for (let tries = 0; tries < TRIES; tries++) {
    const text = await file.read()
    if (text === undefined) throw changed(codex)
    const login = parseCodexAuth(text, codex.path)
    if (login.kind !== 'chatgpt') throw changed(codex)
    if (login.refreshToken === '') return movedBefore(login, request, codex, ports)
    const kept = keepImported(
      held,
      await credentialOf(login, request, codex, ports),
      request,
      ports.clock.now(),
    )
    if (await file.replace(text, withMember(text, ['tokens', 'refresh_token'], '')))
      return { ...kept, outcome: 'moved' }
  }
  throw changed(codex)
}

async function copy(
  login: CodexChatGptLogin,
  request: ImportRequest,
  codex: CodexHome,
  ports: RefreshPorts,
): Promise<Done> {
  const credential = await credentialOf(login, request, codex, ports)
  const kept = await ports.store.exclusively(request.profile, {
    work: async (held) => keepImported(held, credential, request, ports.clock.now()),
  })
  return { ...kept, outcome: 'copied' }
}

async function copySecret(
  login: Exclude<CodexLogin, CodexChatGptLogin>,
  request: ImportRequest,
  { path }: CodexHome,
  ports: RefreshPorts,
): Promise<Done> {
  if (login.kind === 'none') throw nobody(`${path} holds no login`, 'file')
  if (login.kind === 'other') throw bound(login.mode)
  const { kind, secret } = login
  const credential = givenCredential(kind, secret, request.factsOf(secret), ports.clock.now())
  const kept = await ports.store.exclusively(request.profile, {
    work: async (held) => keepImported(held, credential, request, ports.clock.now()),
  })
  return { ...kept, outcome: 'copied' }
}

/** There is nothing to do where this profile has it, and nothing to be had where it has not. */
function movedBefore(
  { accessToken, accountId }: CodexChatGptLogin,
  { profile }: ImportRequest,
  { path }: CodexHome,
  { store }: RefreshPorts,
): Done {
  const credential = readable(() => store.read(profile))
  const isHere =
    credential?.accessToken === accessToken ||
    (credential?.importedFrom !== undefined && credential.account.id === accountId)
  if (credential === undefined || !isHere) throw movedAway(path)
  return { credential, outcome: 'moved_before', replaced: undefined }
}

async function credentialOf(
  login: CodexChatGptLogin,
  { factsOf }: ImportRequest,
  codex: CodexHome,
  { providers, clock }: RefreshPorts,
): Promise<Credential> {
  const { overrides, path } = codex
  let provider: Provider
  try {
    provider = await providers.open({
      name: 'openai',
      issuer: overrides.issuer ?? login.provenance?.issuer,
      clientId: login.provenance?.clientId ?? overrides.clientId,
      scopes: undefined,
    })
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    throw new AuthError('codex_unreadable', `Codex's file ${path} names an issuer that is no https address.`)
  }
  return credentialFromCodex(login, provider, factsOf, clock.now())
}

function changed({ path }: CodexHome): AuthError {
  return new AuthError('store_busy', `Codex's file ${path} is being changed.`, {
    nextStep: 'end Codex, and try again',
  })
}
