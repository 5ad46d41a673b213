import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openSettingsFile } from '../../src/adapters/settings-file.ts'
import { readSettings } from '../../src/adapters/settings.ts'
import { parseSetting, SETTING_NAMES, type SettingName } from '../../src/core/settings.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { thrown } from '../support/thrown.ts'

let path: string

beforeEach(() => {
  path = join(temporaryFolder(), 'home', 'config.json')
})

function write(content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

const modeOf = (file: string): number => statSync(file).mode & 0o777

describe('a change of the settings', () => {
  test('makes the file and its folder, for their owner alone', () => {
    openSettingsFile(path).set('profile', 'work')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ profile: 'work' })
    expect([modeOf(dirname(path)), modeOf(path), readdirSync(dirname(path))]).toEqual([
      0o700,
      0o600,
      ['config.json'],
    ])
  })

  test.each<[SettingName, string]>([
    ['profile', 'work'],
    ['provider', 'oidc'],
    ['issuer', 'https://auth.example.com'],
    ['client_id', 'a.b.c'],
    ['scopes', 'openid email'],
    ['ports', '1455,0'],
    ['redirect_host', '127.0.0.1'],
    ['key_source', 'file'],
    ['browser', 'none'],
    ['lock_wait', '2m'],
  ])('of %s is read back as it was set, and unset again', (name, text) => {
    const value = parseSetting(name, text)
    openSettingsFile(path).set(name, value)
    expect(readSettings(path)).toEqual({ [name]: value })
    openSettingsFile(path).unset(name)
    expect(readSettings(path)).toEqual({})
  })

  test('keeps every other setting, those of a later version among them', () => {
    write('{"later":{"nested":[1,null]},"a.b":1,"lock_wait":5,"profile":"home"}')
    const file = openSettingsFile(path)
    file.set('profile', 'work')
    file.unset('lock_wait')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      later: { nested: [1, null] },
      'a.b': 1,
      profile: 'work',
    })
  })

  test('mends a wrong setting', () => {
    write('{"lock_wait":"soon","profile":"work"}')
    openSettingsFile(path).unset('lock_wait')
    expect(readSettings(path)).toEqual({ profile: 'work' })
  })

  test('may be to unset what is not set', () => {
    for (const name of SETTING_NAMES) openSettingsFile(path).unset(name)
    expect(readSettings(path)).toEqual({})
  })

  test('closes a file that was open to others', () => {
    write('{}', 0o666)
    openSettingsFile(path).set('profile', 'work')
    expect(modeOf(path)).toBe(0o600)
  })

  test('goes to where a symbolic link leads, as those who keep their settings elsewhere expect', () => {
    const elsewhere = join(temporaryFolder(), 'dotfile.json')
    writeFileSync(elsewhere, '{"profile":"home"}')
    mkdirSync(dirname(path))
    symlinkSync(elsewhere, path)
    openSettingsFile(path).set('profile', 'work')
    expect(JSON.parse(readFileSync(elsewhere, 'utf8'))).toEqual({ profile: 'work' })
  })

  test('of another process in between is kept', () => {
    const file = openSettingsFile(path)
    openSettingsFile(path).set('browser', 'none')
    file.set('profile', 'work')
    expect(readSettings(path)).toEqual({ browser: 'none', profile: 'work' })
  })
})

describe('a settings file that is none', () => {
  test.each(['', '{', '{"profile": work}', '\0'])('is kept byte for byte: %j', (content) => {
    write(content)
    expect(thrown(() => openSettingsFile(path))).toEqual({
      code: 'settings_corrupt',
      exitCode: 2,
      message: `The settings file ${path} is not valid JSON.`,
      nextStep: 'mend or remove the file: codex-auth config path',
    })
    expect(readFileSync(path, 'utf8')).toBe(content)
  })

  test.each(['[]', '["a"]', 'null', '5', '"text"'])(
    'because it holds something else is kept: %s',
    (content) => {
      write(content)
      expect(thrown(() => openSettingsFile(path))).toEqual({
        code: 'settings_corrupt',
        exitCode: 2,
        message: `The settings file ${path} must hold one JSON object.`,
        nextStep: 'mend or remove the file: codex-auth config path',
      })
      expect(readFileSync(path, 'utf8')).toBe(content)
    },
  )

  test('by the time of the change is kept as well', () => {
    const file = openSettingsFile(path)
    write('{"profile"')
    expect(thrown(() => file.set('profile', 'work')).code).toBe('settings_corrupt')
    expect(thrown(() => file.unset('profile')).code).toBe('settings_corrupt')
    expect(readFileSync(path, 'utf8')).toBe('{"profile"')
  })
})

function unwritable(message: string) {
  const nextStep = 'free the disk or mend the permissions, and try again'
  return { code: 'store_unwritable', exitCode: 7, message, nextStep }
}

describe('a settings file that cannot be written', () => {
  test('is a folder', () => {
    mkdirSync(path, { recursive: true })
    expect(thrown(() => openSettingsFile(path))).toEqual(unwritable(`${path} cannot be written: EISDIR.`))
  })

  test('is below a file', () => {
    writeFileSync(dirname(path), '')
    expect(thrown(() => openSettingsFile(path))).toEqual(
      unwritable(`${dirname(path)} cannot be written: EEXIST.`),
    )
  })

  test('has become one since', () => {
    const file = openSettingsFile(path)
    rmSync(dirname(path), { recursive: true })
    writeFileSync(dirname(path), '')
    expect(thrown(() => file.set('profile', 'work'))).toEqual(
      unwritable(`${path} cannot be written: its folder is not a folder (ENOTDIR).`),
    )
  })
})
