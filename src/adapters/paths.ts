import { join, resolve } from 'node:path'
import envPaths from 'env-paths'

type Environment = Readonly<Record<string, string | undefined>>

/** The folder of everything this program keeps: `$CODEX_AUTH_HOME`, else the user's configuration folder. */
export function rootFolder(env: Environment): string {
  return env['CODEX_AUTH_HOME']
    ? resolve(env['CODEX_AUTH_HOME'])
    : envPaths('codex-auth', { suffix: '' }).config
}

export function settingsPath(env: Environment): string {
  return join(rootFolder(env), 'config.json')
}
