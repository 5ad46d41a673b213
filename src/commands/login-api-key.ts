import { AuthError } from '../errors.ts'
import { apiKey } from '../core/api-key.ts'
import { exitCode, exitName, nextStep } from '../core/exit-code.ts'
import type { ProviderChoice } from '../core/ports.ts'
import type { Context, Session } from './context.ts'
import type { LoginFlags } from './login-flags.ts'
import { say, waitNotice, warn } from './output.ts'

/** @throws {AuthError} `usage` for a key from a provider that has none, before anybody signs in. */
export function checkKeyProvider({ withMintedApiKey }: LoginFlags, { name }: ProviderChoice): void {
  if (!withMintedApiKey || name === 'openai') return
  throw new AuthError('usage', 'Only a login at OpenAI can have an API key.', {
    nextStep: 'leave out --with-minted-api-key',
  })
}

/**
 * With `--with-minted-api-key`, asks for the key of a login that is saved by now. That login stays whatever comes of it;
 * without the key, the command ends with the code of what went wrong.
 */
export async function mintAfterLogin(context: Context, flags: LoginFlags, session: Session): Promise<void> {
  if (!flags.withMintedApiKey) return
  const { profile } = session
  const request = { profile, minTtl: undefined, mayRefresh: true, ...waitNotice(context, flags) }
  try {
    await apiKey(request, { ...session, environment: undefined })
    say(context, flags, 'An API key is stored with the login; codex-auth token --kind api-key prints it.')
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    warn(context, `the login is saved, but without an API key: ${error.message}`)
    context.stderr(`  Next: ${nextStep(error, session.profileFlag(profile))}\n`)
    context.endWith(exitCode(exitName(error.code)))
  }
}
