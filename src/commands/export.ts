import type { Command } from 'commander'
import { exportCodex, type Exported } from '../core/export-codex.ts'
import { holderWithPlan } from '../core/holder.ts'
import { status } from '../core/status.ts'
import { codexRequest, declareCodex, TWO_OWNERS, type CodexFlags } from './codex-flags.ts'
import type { Context, Session } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult, say, timestamp, warn } from './output.ts'
import { accountJson } from './status-report.ts'

/** `codex-auth export codex`: our login becomes Codex's. */
export function addExportCommand(program: Command, context: Context): void {
  const group = program.command('export').description('Give a login to another program')
  const command = group.command('codex').description('Move the login to Codex, so that it has one owner')
  declareCodex(command, 'this profile', "replace a different account's login of Codex")
  command.action(async () => {
    const flags = flagsOf<CodexFlags>(command)
    const session = await context.session(flags)
    const codex = await session.codexHome(flags.codexHome)
    const exported = await exportCodex(codexRequest(context, flags, session), codex, session)
    say(context, flags, sentence(session.profile, exported))
    warnOf(context, exported)
    printResult(context, flags, exportJson(session, exported, codex.path), '')
  })
}

function sentence(profile: string, { credential, moved }: Exported): string {
  if (moved) return `Moved the login of ${holderWithPlan(credential)} from the profile "${profile}" to Codex.`
  const what = credential.method === 'api_key' ? 'API key' : `login of ${holderWithPlan(credential)}`
  return `Copied the ${what} in the profile "${profile}" to Codex; it stays here.`
}

function warnOf(context: Context, { credential, moved, hasReplaced, mayBeHidden }: Exported): void {
  if (!moved && credential.refreshToken !== undefined) warn(context, TWO_OWNERS)
  if (hasReplaced) warn(context, NOT_REVOKED)
  if (mayBeHidden) warn(context, HIDDEN)
}

const NOT_REVOKED =
  "Codex's own login before is gone; its provider was not told, so it lives on until it expires."

const HIDDEN =
  "Codex looks into the system's keyring first (cli_auth_credentials_store); what is there hides this login."

/** What Codex has now, and what that leaves here: `state` is the profile's. */
function exportJson(session: Session, { credential, moved }: Exported, path: string): object {
  const { profile } = session
  return {
    schema_version: 1,
    profile,
    state: status(profile, undefined, { ...session, environment: undefined }).state,
    method: credential.method,
    provider: credential.provider,
    issuer: credential.issuer,
    client_id: credential.clientId || null,
    account: accountJson(credential.account),
    expires_at: timestamp(credential.expiresAt),
    moved,
    path,
  }
}
