import type { Command } from 'commander'
import { formatDuration } from '../core/duration.ts'
import { holderWithPlan } from '../core/holder.ts'
import { importCodex, type Imported } from '../core/import-codex.ts'
import { remaining } from '../core/lifetime.ts'
import { status } from '../core/status.ts'
import { codexRequest, declareCodex, TWO_OWNERS, type CodexFlags } from './codex-flags.ts'
import type { Context, GlobalFlags, Session } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult, say, warn } from './output.ts'
import { statusJson } from './status-report.ts'

/** `codex-auth import codex`: Codex's login becomes ours. */
export function addImportCommand(program: Command, context: Context): void {
  const group = program.command('import').description("Take over another program's login")
  const command = group.command('codex').description("Move Codex's login here, so that it has one owner")
  declareCodex(command, 'Codex', "replace a different account's login in the profile")
  command.action(async () => {
    const flags = flagsOf<CodexFlags>(command)
    const session = await context.session(flags)
    const codex = await session.codexHome(flags.codexHome)
    const imported = await importCodex(codexRequest(context, flags, session), codex, session)
    tell(context, flags, session, imported)
    if (imported.isMarked)
      warn(context, `${codex.path} begins with a byte order mark, and Codex itself cannot read it.`)
    printResult(context, flags, importJson(session, imported, codex.path), '')
  })
}

function importJson(session: Session, { outcome }: Imported, path: string): object {
  const found = status(session.profile, undefined, { ...session, environment: undefined })
  return { ...statusJson(found), moved: outcome === 'moved', path }
}

function tell(context: Context, flags: GlobalFlags, session: Session, imported: Imported): void {
  const { credential, outcome, replaced } = imported
  const where = `profile "${session.profile}"`
  const done = {
    moved: `Moved Codex's login of ${holderWithPlan(credential)} to the ${where}.`,
    copied: `Copied Codex's login of ${holderWithPlan(credential)} to the ${where}.`,
    moved_before: `Codex's login of ${holderWithPlan(credential)} is in the ${where} already; nothing was changed.`,
  }
  say(context, flags, credential.method === 'api_key' ? copiedKey(where) : done[outcome])
  if (outcome === 'moved') say(context, flags, leftToCodex(imported, session.clock.now()))
  if (outcome === 'copied' && credential.refreshToken !== undefined) warn(context, TWO_OWNERS)
  if (replaced !== undefined) warn(context, NOT_REVOKED)
  if (session.environment) warn(context, 'CODEX_AUTH_TOKEN is set and wins over this login.')
}

function copiedKey(where: string): string {
  return `Copied Codex's API key to the ${where}; Codex keeps it.`
}

function leftToCodex({ credential }: Imported, now: number): string {
  const left = remaining(credential, now)
  const keeps =
    left === undefined
      ? 'Codex can use it until its access token ends.'
      : left <= 0
        ? 'Codex cannot use it any more.'
        : `Codex can use it for ${formatDuration(left)} more.`
  return `${keeps} From then on, it can have its tokens from here: codex-auth setup codex`
}

const NOT_REVOKED =
  'the login that was in this profile before is gone here; its provider was not told, so it lives on until it expires.'
