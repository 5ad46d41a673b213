import { readFileSync } from 'node:fs'
import { AuthError } from '../errors.ts'
import { parseSettings, type Settings } from '../core/settings.ts'

/** The settings, by a plain read: every start pays for it. No file is no settings. @throws {AuthError} `settings_corrupt`. */
export function readSettings(path: string): Settings {
  let json: string
  try {
    json = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new AuthError('settings_corrupt', `The settings file ${path} cannot be read (${code}).`, {
      cause: error,
    })
  }
  return parseSettings(json, path)
}
