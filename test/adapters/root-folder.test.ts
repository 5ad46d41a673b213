import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { rootFromEnvironment } from '../../src/adapters/root-folder.ts'

/** What `env-paths` says in a process of its own, since it reads the environment when it is loaded. */
function byPackage(env: Record<string, string>): string {
  const program =
    "import('env-paths').then(({ default: paths }) => process.stdout.write(paths('codex-auth', { suffix: '' }).config))"
  return execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8', cwd: import.meta.dirname })
}

describe('the root folder', () => {
  it.each([
    ['a home folder', { HOME: '/home/alice' }],
    ['a configuration folder of its own', { HOME: '/home/alice', XDG_CONFIG_HOME: '/elsewhere/config' }],
    ['an empty variable', { HOME: '/home/alice', XDG_CONFIG_HOME: '' }],
  ])('is where env-paths puts it, with %s', (_name, env) => {
    expect(rootFromEnvironment(env)).toBe(byPackage(env))
  })

  it('is the one that CODEX_AUTH_HOME names', () => {
    expect(rootFromEnvironment({ CODEX_AUTH_HOME: '/srv/auth', HOME: '/home/alice' })).toBe('/srv/auth')
  })

  it('is not known where the environment does not tell', () => {
    expect(rootFromEnvironment({}, 'linux')).toBeUndefined()
    expect(rootFromEnvironment({}, 'darwin')).toBeUndefined()
    expect(rootFromEnvironment({ HOME: '/home/alice' }, 'win32')).toBeUndefined()
  })

  it('follows the habits of macOS and Windows', () => {
    expect(rootFromEnvironment({ HOME: '/Users/alice', XDG_CONFIG_HOME: '/x' }, 'darwin')).toBe(
      '/Users/alice/Library/Preferences/codex-auth',
    )
    expect(rootFromEnvironment({ APPDATA: '/Users/alice/AppData/Roaming' }, 'win32')).toBe(
      '/Users/alice/AppData/Roaming/codex-auth/Config',
    )
  })
})
