import { readFileSync, statSync } from 'node:fs'
import { AuthError } from '../errors.ts'
import { parseSettings, type Settings } from '../core/settings.ts'

/**
 * The settings, by a plain read: every start pays for it. No file is no settings.
 * @throws {AuthError} `settings_corrupt`, also for a file of another user: it names the program that opens addresses, and
 * where people sign in.
 */
export function readSettings(path: string): Settings {
  let json: string
  let uid: number
  try {
    uid = statSync(path).uid
    json = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new AuthError('settings_corrupt', `The settings file ${path} cannot be read (${code}).`, {
      cause: error,
    })
  }
  if (uid !== 0 && uid !== (process.getuid?.() ?? uid)) {
    throw new AuthError('settings_corrupt', `The settings file ${path} belongs to another user (uid ${uid}).`)
  }
  return parseSettings(json, path)
}
