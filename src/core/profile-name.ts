import { AuthError } from '../errors.ts'

/** Letters, digits, dot, underscore and hyphen, beginning with a letter or digit, at most 64. */
export function isProfileName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
}

/** @throws {AuthError} `usage` for a name that could not be a file's. */
export function profileName(name: string): string {
  if (isProfileName(name)) return name
  throw new AuthError('usage', `${JSON.stringify(name.slice(0, 80))} is not a profile name.`, {
    nextStep:
      'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work',
  })
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The flag that leads to this profile, with a leading space; empty where a call without it does, whether or not the
 * environment of that call names a profile as this one's does: a variable may be set for one call only.
 */
export function profileFlag(
  profile: string,
  env: Environment,
  settings: { readonly profile?: string },
): string {
  const fallback = settings.profile || 'default'
  const leadsThere = profile === fallback && profile === (env['CODEX_AUTH_PROFILE'] || fallback)
  return leadsThere ? '' : ` --profile ${profile}`
}

/** The profile in use: the flag's, else the environment's, else the settings', else `default`. @throws as {@link profileName}. */
export function chooseProfile(
  flag: string | undefined,
  env: Environment,
  settings: { readonly profile?: string },
): string {
  // An empty variable is as good as none, as scripts pass them on.
  return profileName(flag ?? (env['CODEX_AUTH_PROFILE'] || settings.profile || 'default'))
}
