import type { Command } from 'commander'
import { status, type Status } from '../core/status.ts'
import { verifiedStatus } from '../core/verified-status.ts'
import type { Context, Session } from './context.ts'
import { flagsOf, minTtlOption } from './options.ts'
import { printResult } from './output.ts'
import { statusExitCode, statusJson } from './status-report.ts'
import { statusText } from './status-text.ts'

interface StatusFlags {
  readonly minTtl?: number
  readonly verify?: boolean
  readonly usage?: boolean
  readonly all?: boolean
}

/** `codex-auth status`: what is stored and whether `token` is expected to work; asks nobody, unless told to. */
export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .description('Say what is stored and whether it will work')
    .addOption(minTtlOption('end with 3 when the access token lives shorter than this'))
    .option('--verify', 'ask the provider whether it accepts the access token; 5 when it does not say')
    .option('--usage', 'show how much of the plan is used, which asks as --verify does')
    .option('--all', 'every profile; ends with the worst exit code')
    .action(async (_options, command: Command) => {
      const flags = flagsOf<StatusFlags>(command)
      const session = await context.session(flags)
      const ports = portsFor(flags, session)
      const profiles = profilesOf(flags, session)
      const found = await Promise.all(profiles.map((profile) => statusOf(profile, flags, ports)))
      const [first] = found
      if (flags.all || first === undefined) {
        printResult(
          context,
          flags,
          { schema_version: 1, profiles: found.map(statusJson) },
          allText(context, found),
        )
      } else printResult(context, flags, statusJson(first), statusText(first, context))
      context.endWith(worst(found))
    })
}

async function statusOf(
  profile: string,
  { minTtl, verify, usage = false }: StatusFlags,
  ports: Session,
): Promise<Status> {
  return verify || usage ? verifiedStatus({ profile, minTtl, usage }, ports) : status(profile, minTtl, ports)
}

function profilesOf(flags: StatusFlags, { profile, store }: Session): string[] {
  const stored = store.profiles()
  return flags.all && stored.length > 0 ? stored : [profile]
}

/** A token from the environment stands in for every profile, so a list of what is stored leaves it out. */
function portsFor(flags: StatusFlags, session: Session): Session {
  return flags.all ? { ...session, environment: undefined } : session
}

function allText(context: Context, found: readonly Status[]): string {
  return found.map((each) => statusText(each, context)).join('\n')
}

function worst(found: readonly Status[]): number {
  return Math.max(...found.map(statusExitCode))
}
