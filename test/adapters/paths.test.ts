import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rootFolder, settingsPath } from '../../src/adapters/paths.ts'

describe('the folder of everything', () => {
  test('is the one in CODEX_AUTH_HOME', async () => {
    expect(await rootFolder({ CODEX_AUTH_HOME: '/srv/auth' })).toBe('/srv/auth')
    expect(await settingsPath({ CODEX_AUTH_HOME: '/srv/auth' })).toBe('/srv/auth/config.json')
  })

  test('is made absolute, so that it stays the same when a command changes its folder', async () => {
    expect(await rootFolder({ CODEX_AUTH_HOME: 'auth/../here' })).toBe(resolve('here'))
    expect(await rootFolder({ CODEX_AUTH_HOME: '/srv//auth/' })).toBe('/srv/auth')
  })

  test('is that of the user’s configuration when the variable is empty or not set', async () => {
    expect(await rootFolder({ CODEX_AUTH_HOME: '' })).toBe(await rootFolder({}))
    expect(await rootFolder({})).toMatch(/[/\\]codex-auth([/\\]Config)?$/)
  })
})
