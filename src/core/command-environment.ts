import type { IssuedToken } from './issued-token.ts'
import { tokenVariables, type Environment } from './token-variables.ts'

const PROFILE = 'CODEX_AUTH_PROFILE'

/** Opens the store, and so the refresh token: no business of a command that was promised an access token. */
const PASSPHRASE = 'CODEX_AUTH_PASSPHRASE'

/**
 * The environment for a command that was promised this token. Should it call `codex-auth` itself, it meets the same profile.
 * @param name the variable that holds the token.
 */
export function commandEnvironment(token: IssuedToken, name: string, environment: Environment): Environment {
  const { [PASSPHRASE]: _, ...rest } = environment
  return {
    ...rest,
    [PROFILE]: token.profile,
    ...Object.fromEntries(tokenVariables(token, name, environment)),
  }
}
