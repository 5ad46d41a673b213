import { dirname } from 'node:path'
import Conf from 'conf'
import { parseSettingsObject, type SettingName, type SettingValue } from '../core/settings.ts'
import { makePrivateFolder, writing } from './store/durable-file.ts'

/** The settings file for changing it; other entries in it are kept. */
export interface SettingsFile {
  readonly path: string
  set(name: SettingName, value: SettingValue): void
  unset(name: SettingName): void
}

/** @throws {AuthError} `settings_corrupt` when the file is no JSON object (it is kept), `store_unwritable`. */
export function openSettingsFile(path: string): SettingsFile {
  const folder = dirname(path)
  makePrivateFolder(folder)
  const conf = open(path, folder)
  return {
    path,
    set: (name, value) => writing(path, () => conf.set(name, value)),
    unset: (name) => writing(path, () => conf.delete(name)),
  }
}

function open(path: string, folder: string): Conf {
  const options = {
    cwd: folder,
    configName: 'config',
    configFileMode: 0o600,
    // What is no settings file must not be written over, as the package would do with any JSON.
    deserialize: (json: string) => parseSettingsObject(json, path),
  }
  return writing(path, () => new Conf(options))
}
