import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { readSettings } from '../../src/adapters/settings.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { thrown } from '../support/thrown.ts'

let path: string

beforeEach(() => {
  path = join(temporaryFolder(), 'config.json')
})

function corrupt(message: string, nextStep = 'mend or remove the file: codex-auth config path') {
  return { code: 'settings_corrupt', exitCode: 2, message, nextStep }
}

test('the settings are what the file holds', () => {
  writeFileSync(path, '{ "profile": "work", "ports": [1455], "later": [true] }\n')
  expect(readSettings(path)).toEqual({ profile: 'work', ports: [1455], later: [true] })
})

test('no file is no settings, and no folder neither', () => {
  expect(readSettings(path)).toEqual({})
  expect(readSettings(join(path, '..', 'gone', 'config.json'))).toEqual({})
})

test('a wrong setting is refused with its name', () => {
  writeFileSync(path, '{ "lock_wait": "30s" }')
  expect(thrown(() => readSettings(path))).toEqual(
    corrupt(
      `The setting lock_wait in ${path} must be a duration, as in 30s.`,
      'codex-auth config unset lock_wait',
    ),
  )
})

test('a file that is no JSON is refused with its place', () => {
  writeFileSync(path, '{ "profile": ')
  expect(thrown(() => readSettings(path))).toEqual(corrupt(`The settings file ${path} is not valid JSON.`))
})

test('a file that cannot be read is not taken for none', () => {
  mkdirSync(path)
  expect(thrown(() => readSettings(path))).toEqual(
    corrupt(`The settings file ${path} cannot be read (EISDIR).`),
  )
  expect(thrown(() => readSettings(join('/proc/self/stat', 'config.json')))).toEqual(
    corrupt('The settings file /proc/self/stat/config.json cannot be read (ENOTDIR).'),
  )
})

test.skipIf(process.getuid?.() !== 0)('a file of another user is refused', () => {
  writeFileSync(path, '{"browser":"/tmp/evil"}')
  chownSync(path, 65_534, 65_534)
  expect(thrown(() => readSettings(path))).toEqual({
    code: 'settings_corrupt',
    exitCode: 2,
    message: `The settings file ${path} belongs to another user (uid 65534).`,
    nextStep: 'mend or remove the file: codex-auth config path',
  })
})
