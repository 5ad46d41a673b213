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
    // The file is as it should be; the disk is not.
    if (code === 'EIO') throw diskFault(path, error)
    throw new AuthError('settings_corrupt', `The settings file ${path} cannot be read (${code}).`, {
      cause: error,
    })
  }
  if (uid !== 0 && uid !== (process.getuid?.() ?? uid)) {
    throw new AuthError('settings_corrupt', `The settings file ${path} belongs to another user (uid ${uid}).`)
  }
  return parseSettings(json, path)
}

function diskFault(path: string, cause: unknown): AuthError {
  return new AuthError('store_insecure', `${path} cannot be read: the disk reports an error (EIO).`, {
    cause,
    nextStep: 'check the disk, and try again',
  })
}
