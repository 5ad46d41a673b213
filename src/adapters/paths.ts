import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { rootFromEnvironment, type Environment } from './root-folder.ts'

/** The folder of everything this program keeps: `$CODEX_AUTH_HOME`, else the user's configuration folder. */
export function rootFolder(env: Environment): string {
  return resolve(rootFromEnvironment(env) ?? envPaths('codex-auth', { suffix: '' }).config)
}

export function settingsPath(env: Environment): string {
  return join(rootFolder(env), 'config.json')
}
