import type { Command } from 'commander'
import { AuthError } from '../errors.ts'
import { exitCode, exitName, nextStep } from '../core/exit-code.ts'
import { logOut, type LoggedOut } from '../core/log-out.ts'
import type { Context, GlobalFlags, Session } from './context.ts'
import { logoutJson } from './logout-report.ts'
import { warnOfLivingKey } from './minted-key.ts'
import { flagsOf } from './options.ts'
import { printResult, say, waitNotice, warn } from './output.ts'

interface LogoutFlags {
  readonly all?: boolean
  readonly localOnly?: boolean
}

interface Ended extends LoggedOut {
  readonly profile: string
}

/** `codex-auth logout`: revoked at the provider where it answers, removed here in any case. */
export function addLogoutCommand(program: Command, context: Context): void {
  program
    .command('logout')
    .description('Revoke the login at the provider and remove it here')
    .option('--all', 'every profile')
    .option('--local-only', 'remove it here without telling the provider')
    .action(async (_options, command: Command) => {
      const flags = flagsOf<LogoutFlags>(command)
      const session = await context.session(flags)
      if (flags.all) return logOutOfAll(context, flags, session)
      finish(context, flags, session, [await logOutOf(session.profile, context, flags, session)])
    })
}

/** One profile that cannot be removed now keeps none of the others; its failure is the whole command's at the end. */
async function logOutOfAll(
  context: Context,
  flags: LogoutFlags & GlobalFlags,
  session: Session,
): Promise<void> {
  const ended: Ended[] = []
  const failures: AuthError[] = []
  for (const profile of session.store.profiles()) {
    try {
      ended.push(await logOutOf(profile, context, flags, session))
    } catch (error) {
      if (!(error instanceof AuthError) || context.interruption.aborted) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first !== undefined) throw first
  if (ended.length === 0) say(context, flags, 'Nobody is signed in to any profile; nothing to do.')
  finish(context, flags, session, ended)
}

async function logOutOf(
  profile: string,
  context: Context,
  flags: LogoutFlags & GlobalFlags,
  session: Session,
): Promise<Ended> {
  const request = { profile, localOnly: flags.localOnly === true, ...waitNotice(context, flags) }
  const ended = { profile, ...(await logOut(request, session)) }
  tell(context, flags, session, ended)
  if (ended.apiKeyRemains) warnOfLivingKey(context)
  if (session.environment && ended.removed)
    warn(context, 'CODEX_AUTH_TOKEN is set, and its token goes on working until you unset it.')
  return ended
}

function tell(
  context: Context,
  flags: GlobalFlags,
  session: Session,
  { profile, removed, revocation }: Ended,
): void {
  if (!removed) return say(context, flags, `Nobody is signed in to the profile "${profile}"; nothing to do.`)
  if (revocation?.kind === 'unconfirmed') {
    warn(
      context,
      `removed here, but the provider did not confirm the revocation: ${revocation.error.message}`,
    )
    if (flags.debug) context.stderr(`  ${nextStep(revocation.error, session.profileFlag(profile))}\n`)
    return
  }
  const told = {
    revoked: ' and revoked at the provider',
    not_supported: '; the provider has no revocation, so its tokens live on until they expire',
    not_needed: '; there was nothing to revoke at a provider',
    untold: '; the provider was not told, so its tokens live on until they expire',
  }
  say(context, flags, `Signed out of "${profile}": removed here${told[revocation?.kind ?? 'untold']}.`)
}

function finish(
  context: Context,
  flags: LogoutFlags & GlobalFlags,
  session: Session,
  ended: readonly Ended[],
): void {
  const shapes = ended.map((one) => logoutJson(one.profile, one))
  const json = flags.all
    ? { schema_version: 1, profiles: shapes }
    : (shapes[0] ?? { schema_version: 1, profile: session.profile })
  printResult(context, flags, json, '')
  const unconfirmed = ended.some(({ revocation }) => revocation?.kind === 'unconfirmed')
  if (unconfirmed) context.endWith(exitCode(exitName('provider_failed')))
}
