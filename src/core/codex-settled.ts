import { AuthError } from '../errors.ts'
import { parseCodexAuth } from './codex-auth-file.ts'
import type { CodexHome } from './codex-home.ts'
import { EXPIRING } from './lifetime.ts'
import type { TokenFacts } from './log-in-secret.ts'
import type { Clock, LockHolder } from './ports.ts'

/** Seconds. Codex renews an access token that does not tell its end when the last renewal is this long ago. */
const SCHEDULED = 8 * 24 * 3600

export interface SettledRequest {
  readonly factsOf: (token: string) => TokenFacts
  /** Called about once a second while Codex may be renewing its login. `waited` is in seconds. */
  onWait?(holder: LockHolder, waited: number): void
}

/**
 * Waits while Codex may be renewing its login. It holds no lock while its request is on the way, and throws the answer
 * away when its file has changed meanwhile: a refresh token taken then would be spent already, and the next one lost.
 * A Codex that runs renews a token that is about to end before it does anything else; at other times, it does not.
 * @throws {AuthError} `store_busy` when it runs on and has renewed nothing within the time there is.
 */
export async function codexSettled(
  { factsOf, onWait }: SettledRequest,
  codex: CodexHome,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  const start = Date.now()
  let told = -1
  while (isDue(await codex.read(), codex.path, factsOf, clock.now())) {
    const holder = await codex.running()
    if (holder === undefined) return
    const waited = (Date.now() - start) / 1000
    if (waited >= codex.patience) throw mayBeRenewing(holder)
    if (Math.floor(waited) > told) onWait?.(holder, waited)
    told = Math.floor(waited)
    await codex.pause()
  }
}

function isDue(text: string | undefined, path: string, factsOf: SettledRequest['factsOf'], now: number) {
  if (text === undefined) return false
  const login = parseCodexAuth(text, path)
  if (login.kind !== 'chatgpt' || login.refreshToken === '') return false
  const { expiresAt } = factsOf(login.accessToken)
  if (expiresAt !== undefined) return expiresAt - now <= EXPIRING
  return login.lastRefresh !== undefined && now - login.lastRefresh >= SCHEDULED
}

function mayBeRenewing({ pid }: LockHolder): AuthError {
  return new AuthError(
    'store_busy',
    `Codex (pid ${pid}) is running while its access token ends: it may be renewing its login right now. Nothing was changed.`,
    { nextStep: 'end Codex, or use it once so that it renews its login, and try again' },
  )
}
