import { holderWithPlan } from '../core/holder.ts'
import type { LoggedIn } from '../core/save-login.ts'
import type { Status } from '../core/status.ts'
import type { Context } from './context.ts'
import { printSignedIn } from './login-events.ts'
import type { LoginFlags } from './login-flags.ts'
import { say, warn } from './output.ts'
import { statusJson } from './status-report.ts'
import { tinted } from './tint.ts'

/** Says who is signed in, and where that is kept. */
export function report(context: Context, flags: LoginFlags, found: Status, text: string): void {
  const { credential, profile, source } = found
  const where = source === 'environment' ? 'by CODEX_AUTH_TOKEN' : `profile "${profile}"`
  const done = credential?.method === 'api_key' ? 'Saved' : `${text} as`
  const what = `${done} ${credential ? holderWithPlan(credential) : 'nobody'}`
  say(context, flags, `${tinted('good', what, context.stderrHasColours)}, ${where}.`)
  printSignedIn(context, flags, statusJson(found))
}

/** Says what could not be done about the login that was there before. */
export function tellPrevious(context: Context, { previous }: LoggedIn): void {
  if (previous?.kind !== 'unconfirmed') return
  warn(
    context,
    `the login before this one is gone here, but its revocation was not confirmed: ${previous.error.message}`,
  )
}
