import { AuthError } from '../errors.ts'
import { EXPIRING, isUsableAsIs } from '../core/lifetime.ts'
import type { AccessTokenOptions } from './access-token-options.ts'
import { handedOut, type AccessToken } from './handed-out.ts'
import { knownRoot, remembered } from './remembered.ts'
import { renewedToken } from './renewed-token.ts'

/**
 * A usable access token, renewed first when it is about to end. One that lives is handed out from memory for as long as its file
 * stays the same. Any number of calls, in any number of processes, make one renewal.
 * @throws {AuthError} `not_logged_in`, `not_refreshable`, `refresh_refused`: a person has to sign in; `short_lived`: it has ended,
 * and `refresh: false` forbids to renew it; `network` and others of exit code 5, or `store_busy`, `store_unwritable`, only when
 * no living token is left; any fault of the store or of the settings; `usage` for a bad profile name.
 * @throws the signal's reason.
 */
export async function accessToken(options: AccessTokenOptions = {}): Promise<AccessToken> {
  options.signal?.throwIfAborted()
  return livingToken(options) ?? renewedToken(options)
}

/** `undefined` for everything that needs more than a look: what there is to do or to say, is done and said elsewhere. */
function livingToken(options: AccessTokenOptions): AccessToken | undefined {
  const { env = process.env, minTtl = EXPIRING, refused } = options
  if (env['CODEX_AUTH_TOKEN'] || (env['CODEX_AUTH_KEY_SOURCE'] || 'file') !== 'file') return undefined
  const root = knownRoot(options)
  if (root === undefined) return undefined
  try {
    const { stored, ...place } = remembered(root, options)
    if (stored === undefined || !isUsableAsIs(stored.credential, Date.now() / 1000, minTtl)) return undefined
    return stored.credential.accessToken === refused ? undefined : handedOut(stored.credential, place)
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}
