import type { Command } from 'commander'
import type { Context, GlobalFlags, Session } from './context.ts'
import { waitNotice } from './output.ts'

/** The flags of the two commands that hand a login over. */
export interface CodexFlags extends GlobalFlags {
  readonly copy?: boolean
  readonly force?: boolean
  readonly codexHome?: string
}

/** @param keeper who keeps the login as well with `--copy`. */
export function declareCodex(command: Command, keeper: string, force: string): void {
  command
    .option('--copy', `leave it to ${keeper} as well; the two will log each other out`)
    .option('--force', force)
    .option('--codex-home <folder>', 'where Codex keeps its files (CODEX_HOME, else ~/.codex)')
}

export function codexRequest(context: Context, flags: CodexFlags, { profile, factsOf }: Session) {
  return {
    profile,
    copy: flags.copy === true,
    replace: flags.force === true,
    factsOf,
    ...waitNotice(context, flags),
  }
}

export const TWO_OWNERS =
  'Codex and codex-auth now hold the same refresh token, which works once: whichever renews the login first logs the other one out.'
