import type { LogoutReport } from '../core/logout-report.ts'
import type { CallOptions } from './call.ts'
import { interruptible } from './interruption.ts'
import { openSession } from './session.ts'

export interface LogoutOptions extends CallOptions {
  /** `true`: the provider is not told. */
  readonly localOnly?: boolean | undefined
  /** Ends the wait for another process's lock, and rejects with its reason. Where the provider is being asked, only that ends. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Revokes the login at its provider, and removes it here whatever the provider says. Resolves with what `codex-auth logout --json`
 * prints; `revoked` is `false` where the provider did not confirm.
 * @throws {AuthError} `store_busy` or `store_unwritable`, and then nothing was removed; `usage`, `settings_corrupt`.
 * @throws the signal's reason.
 */
export async function logout(options: LogoutOptions = {}): Promise<LogoutReport> {
  return interruptible(options.signal, async (interruption) => {
    const session = await openSession(options, interruption)
    const [{ logOut }, { logoutJson }] = await Promise.all([
      import('../core/log-out.ts'),
      import('../commands/logout-report.ts'),
    ])
    const { profile } = session
    return logoutJson(profile, await logOut({ profile, localOnly: options.localOnly === true }, session))
  })
}
