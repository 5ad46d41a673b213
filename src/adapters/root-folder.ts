import { join } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The root folder as far as the environment alone tells, in the places where `env-paths` puts it. `undefined`: it does
 * not, and the system has to be asked who the user is, for which the hot path does not load anything.
 */
export function rootFromEnvironment(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (env['CODEX_AUTH_HOME']) return env['CODEX_AUTH_HOME']
  if (platform === 'win32') return under(env['APPDATA'], 'codex-auth', 'Config')
  if (platform === 'darwin') return under(env['HOME'], 'Library', 'Preferences', 'codex-auth')
  return under(env['XDG_CONFIG_HOME'], 'codex-auth') ?? under(env['HOME'], '.config', 'codex-auth')
}

function under(folder: string | undefined, ...names: readonly string[]): string | undefined {
  return folder ? join(folder, ...names) : undefined
}
