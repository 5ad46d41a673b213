import { userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { AuthError } from '../errors.ts'
import { rootFromEnvironment, type Environment } from './root-folder.ts'

/**
 * The folder of everything this program keeps: `$CODEX_AUTH_HOME`, else the user's configuration folder.
 * @throws {AuthError} `usage` for somebody who has neither, such as a user without an account, and for a relative path where
 * the current folder has been removed.
 */
export async function rootFolder(env: Environment): Promise<string> {
  const root = rootFromEnvironment(env) ?? (await rootFromSystem(env))
  try {
    return resolve(root)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new AuthError('usage', `${root} is below the current folder, which has been removed.`, {
      nextStep: 'change to a folder that is there, or name a whole path in CODEX_AUTH_HOME',
    })
  }
}

export async function settingsPath(env: Environment): Promise<string> {
  return join(await rootFolder(env), 'config.json')
}

async function rootFromSystem(env: Environment): Promise<string> {
  try {
    // Loading it asks the system for the home folder, which fails where there is none.
    const { default: envPaths } = await import('env-paths')
    const { config } = envPaths('codex-auth', { suffix: '' })
    // An empty HOME would put it below the current folder.
    const root = isAbsolute(config) ? config : rootFromEnvironment({ ...env, HOME: userInfo().homedir })
    if (root !== undefined) return root
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
  throw new AuthError('usage', 'There is no home folder to keep anything in.', {
    nextStep: 'name a folder in CODEX_AUTH_HOME',
  })
}
