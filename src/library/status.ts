import type { StatusReport } from '../core/status-report.ts'
import type { CallOptions } from './call.ts'
import { openSession } from './session.ts'

export interface StatusOptions extends CallOptions {
  /** Seconds that the access token should still live: where it does not, `exit_code` is 3. */
  readonly minTtl?: number | undefined
}

const NEVER = new AbortController().signal

/**
 * What is stored and whether it will work, as `codex-auth status --json` says it. Asks nobody, and does not throw for what it
 * finds stored.
 * @throws {AuthError} `usage` for a bad profile name, `settings_corrupt`.
 */
export async function status(options: StatusOptions = {}): Promise<StatusReport> {
  const session = await openSession(options, NEVER)
  const [core, { statusJson }] = await Promise.all([
    import('../core/status.ts'),
    import('../commands/status-report.ts'),
  ])
  return statusJson(core.status(session.profile, options.minTtl, session))
}
