import { AuthError } from '../errors.ts'
import type { OtherMode } from './codex-auth-file.ts'
import type { CodexStorage } from './codex-home.ts'

const SIGN_IN = 'codex-auth login'

/** Codex has no login. @param where what was looked at, and not found. */
export function nobody(where: string, storage: CodexStorage): AuthError {
  const keyring = storage === 'auto' ? "; it may rest in the system's keyring" : ''
  return new AuthError('not_logged_in', `Nobody is signed in to Codex: ${where}${keyring}.`, {
    nextStep: keyring === '' ? `codex login, or sign in here: ${SIGN_IN}` : IN_FILE,
  })
}

const IN_FILE =
  'write cli_auth_credentials_store = "file" into Codex\'s config.toml, and codex login; or sign in here: codex-auth login'

/** Codex keeps its login in no file. @param path the file that it does not use. */
export function elsewhere(storage: 'keyring' | 'ephemeral', path: string): AuthError {
  const where = {
    keyring: "rests in the system's keyring",
    ephemeral: 'is kept nowhere and ends with each run',
  }[storage]
  return new AuthError(
    storage === 'keyring' ? 'codex_unreadable' : 'not_logged_in',
    `Codex's login ${where} (cli_auth_credentials_store = "${storage}"), not in ${path}.`,
    { nextStep: IN_FILE },
  )
}

/** A refresh token is not there any more. */
export function movedAway(path: string): AuthError {
  return new AuthError(
    'not_logged_in',
    `Codex's file ${path} holds no refresh token: its login has been moved before, and is not in this profile.`,
    { nextStep: `look for it with codex-auth status --all, or sign in: ${SIGN_IN}` },
  )
}

const MODES: Record<OtherMode, string> = {
  agentIdentity: 'an agent identity, whose key signs each request and works in Codex only',
  bedrockApiKey: 'a key of Amazon Bedrock, which is none of OpenAI',
  bedrockAccessKeys: 'access keys of Amazon Bedrock, which are none of OpenAI',
  chatgptAuthTokens: 'tokens that another program gives it and renews (chatgptAuthTokens)',
}

/** What Codex signs in with cannot be used outside it. */
export function bound(mode: OtherMode): AuthError {
  return new AuthError('not_logged_in', `Codex uses ${MODES[mode]}: there is no login to import.`, {
    nextStep: SIGN_IN,
  })
}

/** Codex would not look at what is written. @param path the file that it does not use. */
export function unusedFile(storage: 'keyring' | 'ephemeral', path: string): AuthError {
  return new AuthError(
    'usage',
    `Codex does not use ${path} (cli_auth_credentials_store = "${storage}"). Nothing was changed.`,
    { nextStep: 'write cli_auth_credentials_store = "file" into Codex\'s config.toml, and try again' },
  )
}
