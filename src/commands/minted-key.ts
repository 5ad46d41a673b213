import { AuthError } from '../errors.ts'
import { attemptRead } from '../core/attempt-read.ts'
import type { Context, Session } from './context.ts'
import { warn } from './output.ts'

/** Whether an API key that was minted rests with the profile's login. `false` also for one that cannot be read. */
export function hasMintedKey({ profile, store }: Pick<Session, 'profile' | 'store'>): boolean {
  const stored = attemptRead(() => store.read(profile))
  return !(stored instanceof AuthError) && stored?.credential.mintedApiKey !== undefined
}

/** The login is gone here, and no provider takes such a key back for us. */
export function warnOfLivingKey(context: Context): void {
  warn(
    context,
    'the API key of the login that is gone here still works; delete it at https://platform.openai.com/api-keys.',
  )
}
