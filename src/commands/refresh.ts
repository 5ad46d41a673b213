import { Option, type Command } from 'commander'
import { formatDuration, parseDuration } from '../core/duration.ts'
import { livesFor, remaining } from '../core/lifetime.ts'
import { isRenewed, present, refresh, type Refreshed } from '../core/refresh.ts'
import { status } from '../core/status.ts'
import type { Context, GlobalFlags, Session } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult, say, waitNotice } from './output.ts'
import { statusJson } from './status-report.ts'

interface RefreshFlags {
  readonly ifExpiring?: number
  readonly ifGeneration?: number
}

/** `codex-auth refresh`: a new access token now, whatever the old one's life. */
export function addRefreshCommand(program: Command, context: Context): void {
  program
    .command('refresh')
    .description('Refresh the access token now')
    .option('--if-expiring <duration>', 'only when it lives shorter than this', parseDuration)
    // For this program itself: of any number of calls for the same credential, one refreshes.
    .addOption(new Option('--if-generation <number>').argParser(Number).hideHelp())
    .action(async (_options, command: Command) => {
      const flags = flagsOf<RefreshFlags>(command)
      const session = await context.session(flags)
      const { profile, store, clock } = session
      await store.recover(profile)
      const before = present(store.read(profile), profile)
      const { ifExpiring, ifGeneration = before.generation } = flags
      if (ifExpiring !== undefined && livesFor(before.credential, clock.now(), ifExpiring)) {
        return report(
          context,
          flags,
          session,
          { stored: before, sent: false },
          'The access token is not expiring',
        )
      }
      const refreshed = await refresh(
        {
          profile,
          reason: flags.ifGeneration === undefined ? 'forced' : 'proactive_expiry',
          enough: (stored) => before.generation !== ifGeneration || isRenewed(stored, before),
          ...waitNotice(context, flags),
        },
        session,
      )
      const text = refreshed.sent ? 'Refreshed' : 'Another process has just refreshed'
      report(context, flags, session, refreshed, text)
    })
}

function report(
  context: Context,
  flags: GlobalFlags,
  session: Session,
  { stored, sent }: Refreshed,
  text: string,
): void {
  const left = remaining(stored.credential, context.now())
  say(context, flags, `${text}${left === undefined ? '' : `; it lives ${formatDuration(left)}`}.`)
  const found = status(session.profile, undefined, { ...session, environment: undefined })
  printResult(context, flags, { ...statusJson(found), refreshed: sent }, '')
}
