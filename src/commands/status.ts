import type { Command } from 'commander'
import { status, type Status } from '../core/status.ts'
import type { Context, Session } from './context.ts'
import { flagsOf, minTtlOption } from './options.ts'
import { printResult } from './output.ts'
import { statusExitCode, statusJson, statusText } from './status-report.ts'

interface StatusFlags {
  readonly minTtl?: number
  readonly all?: boolean
}

/** `codex-auth status`: what is stored and whether `token` is expected to work; asks nobody. */
export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .description('Say what is stored and whether it will work, without using the network')
    .addOption(minTtlOption('end with 3 when the access token lives shorter than this'))
    .option('--all', 'every profile; ends with the worst exit code')
    .action(async (_options, command: Command) => {
      const flags = flagsOf<StatusFlags>(command)
      const session = await context.session(flags)
      const found = profilesOf(flags, session).map((profile) =>
        status(profile, flags.minTtl, portsFor(flags, session)),
      )
      const [first] = found
      if (flags.all || first === undefined) {
        printResult(context, flags, { schema_version: 1, profiles: found.map(statusJson) }, allText(found))
      } else printResult(context, flags, statusJson(first), statusText(first))
      context.endWith(worst(found))
    })
}

function profilesOf(flags: StatusFlags, { profile, store }: Session): string[] {
  const stored = store.profiles()
  return flags.all && stored.length > 0 ? stored : [profile]
}

/** A token from the environment stands in for every profile, so a list of what is stored leaves it out. */
function portsFor(flags: StatusFlags, session: Session): Session {
  return flags.all ? { ...session, environment: undefined } : session
}

function allText(found: readonly Status[]): string {
  return found.map(statusText).join('\n')
}

function worst(found: readonly Status[]): number {
  return Math.max(...found.map(statusExitCode))
}
