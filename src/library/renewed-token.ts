import { AuthError } from '../errors.ts'
import { rootFolder } from '../adapters/paths.ts'
import type { Session } from '../commands/context.ts'
import { accessToken as usableToken, type AccessTokenResult } from '../core/access-token.ts'
import { formatDuration } from '../core/duration.ts'
import { remaining } from '../core/lifetime.ts'
import { present, refresh } from '../core/refresh.ts'
import type { AccessTokenOptions } from './access-token-options.ts'
import { environmentOf } from './call.ts'
import { handedOut, type AccessToken } from './handed-out.ts'
import { knownRoot, rememberRoot } from './remembered.ts'
import { openSession } from './session.ts'
import { sharing } from './shared-work.ts'

interface Renewed {
  readonly token: AccessToken
  readonly warnings: readonly string[]
}

const share = sharing<Renewed>()

/** As `accessToken`, where a look at the memory is not enough. Calls that ask for the same share one renewal. */
export async function renewedToken(options: AccessTokenOptions): Promise<AccessToken> {
  const { token, warnings } = await share(keyOf(options), options.signal, (interruption) =>
    renew(options, interruption),
  )
  for (const warning of warnings) options.onWarning?.(warning)
  return token
}

/** All that decides what comes of a call. */
function keyOf(options: AccessTokenOptions): string {
  const { profile, minTtl, refresh: mayRefresh, refused, env = process.env } = options
  const named = ['CODEX_AUTH_PROFILE', 'CODEX_AUTH_TOKEN', 'CODEX_AUTH_KEY_SOURCE'].map((name) => env[name])
  return JSON.stringify([knownRoot(options), profile, minTtl, mayRefresh, refused, ...named])
}

async function renew(options: AccessTokenOptions, interruption: AbortSignal): Promise<Renewed> {
  if (knownRoot(options) === undefined) rememberRoot(await rootFolder(environmentOf(options)))
  const session = await openSession(options, interruption)
  const { profile } = session
  const { minTtl, refresh: mayRefresh = true, refused } = options
  const warnings: string[] = []
  if (refused !== undefined) await replaceRefused(refused, mayRefresh, session)
  const result = await usableToken(
    { profile, minTtl, mayRefresh, warn: (message) => void warnings.push(message) },
    session,
  )
  if (result.short) warnings.push(shortWarning(result))
  return { token: handedOut(result.stored.credential, session), warnings }
}

/** Whoever has renewed it since, in whatever process, has done it for this caller as well. */
async function replaceRefused(refused: string, mayRefresh: boolean, session: Session): Promise<void> {
  const { profile, store, environment } = session
  if (environment !== undefined) return refuseGiven(refused, environment.accessToken)
  await store.recover(profile)
  if (present(store.read(profile), profile).credential.accessToken !== refused) return
  if (!mayRefresh)
    throw new AuthError('short_lived', 'The access token was refused, and it must not be renewed here.')
  await refresh(
    { profile, reason: 'forced', enough: ({ credential }) => credential.accessToken !== refused },
    session,
  )
}

function refuseGiven(refused: string, given: string): void {
  if (given !== refused) return
  throw new AuthError('not_refreshable', 'The access token in CODEX_AUTH_TOKEN was refused.', {
    nextStep: 'put a new one into CODEX_AUTH_TOKEN, or unset it',
  })
}

function shortWarning({ stored: { credential } }: AccessTokenResult): string {
  const left = remaining(credential, Date.now() / 1000) ?? 0
  return `The access token lives ${formatDuration(left)}, shorter than was asked.`
}
