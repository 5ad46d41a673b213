import { chownSync, existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli, type Ended } from '../support/cli.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { available, runScript } from '../support/shell.ts'

const SHELLS = available(['sh', 'dash', 'bash', 'zsh'])

describe.for(SHELLS)('a script for %s under set -eu', (shell) => {
  test('has the token in one word', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    const script = 'set -eu\nTOKEN=$(codex-auth token)\nprintf "<%s>" "$TOKEN"'
    const { exitCode, stdout, stderr } = await runScript(script, {
      home,
      shell,
      mayContain: ['access_token'],
    })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(issuer.accepts(stdout.slice(1, -1))).toBe(true)
  })

  test('ends with the reason when there is none', async () => {
    const home = newHome()
    const script = 'set -eu\nTOKEN=$(codex-auth token)\necho "not reached: $TOKEN"'
    const { exitCode, stdout } = await runScript(script, { home, shell })
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' })
  })

  test('can branch on the exit code', async () => {
    const home = newHome()
    const script =
      'set -eu\ncodex-auth status --quiet >/dev/null || case $? in 4) echo sign in ;; *) echo other ;; esac'
    const { exitCode, stdout } = await runScript(script, { home, shell })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'sign in\n' })
  })
})

/** Commands that print, by what they print: the hot path, the other ways through it, and those without a login. */
const PRINTING = [
  'token',
  'token --json',
  'token --min-ttl 10m --quiet',
  'status',
  'status --json',
  'config path',
  '--help',
  '--version',
]

/** How a program fails that has nothing more to say than that it could not say it. */
const IN_A_WORD = { failed: true, showsItsInsides: false, isShort: true }

describe.for(PRINTING)('codex-auth %s', (command) => {
  test('fails in a word when nobody reads its output', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    const ended = await runScript(`exec codex-auth ${command}`, { home, stdoutClosed: true })
    expect(manner(ended)).toEqual(IN_A_WORD)
  })

  test.runIf(existsSync('/dev/full'))('fails in a word when its output has no room', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    const ended = await runScript(`exec codex-auth ${command} >/dev/full`, { home })
    expect(manner(ended)).toEqual(IN_A_WORD)
  })
})

test('an answer of the provider is kept although nobody reads the token', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
  const ended = await runScript('exec codex-auth token', { home, stdoutClosed: true })
  const { exitCode, stdout } = await runCli(['token'], { home })
  expect(manner(ended)).toEqual(IN_A_WORD)
  expect({ exitCode, refreshes: issuer.refreshes }).toEqual({ exitCode: 0, refreshes: 1 })
  expect(issuer.accepts(stdout.trim())).toBe(true)
})

const NOTHING_CAN_BE_SAID = [
  { where: 'has no room', script: 'exec codex-auth token --debug 2>/dev/full' },
  { where: 'is read by nobody', script: '{ codex-auth token --debug 2>&1 >&3 | :; } 3>&1' },
].filter(({ script }) => existsSync('/dev/full') || !script.includes('/dev/full'))

test.for(NOTHING_CAN_BE_SAID)(
  'a token is renewed and printed although standard error $where',
  async ({ script }) => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const { exitCode, stdout } = await runScript(script, { home, mayContain: ['access_token'] })
    expect({ exitCode, accepted: issuer.accepts(stdout.trim()), refreshes: issuer.refreshes }).toEqual({
      exitCode: 0,
      accepted: true,
      refreshes: 1,
    })
  },
)

test('closed standard streams change nothing about the result', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  await storeLogin(home, issuer.issueLogin())
  const script = 'codex-auth token <&- 2>&-'
  const { exitCode, stdout } = await runScript(script, { home, mayContain: ['access_token'] })
  expect(exitCode).toBe(0)
  expect(issuer.accepts(stdout.trim())).toBe(true)
})

describe('the folder of everything', () => {
  test('is $XDG_CONFIG_HOME/codex-auth, with or without a HOME', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    const root = join(home, 'codex-auth')
    await storeLogin(root, issuer.issueLogin())
    for (const HOME of [undefined, '', home]) {
      const env = { CODEX_AUTH_HOME: undefined, XDG_CONFIG_HOME: home, HOME }
      const { exitCode, stdout } = await runScript('codex-auth status --json', { home, env })
      expect({ exitCode, path: JSON.parse(stdout).store.path }).toEqual({
        exitCode: 0,
        path: join(root, 'profiles', 'default.cred'),
      })
    }
  })

  test('can be named by somebody without an account and a HOME', async ({ skip }) => {
    const home = newHome()
    if ((await runScript(`${asNobodyKnown} test -x "$(command -v codex-auth)"`, { home })).exitCode !== 0) {
      skip('this process may not become another user, or that user may not read the program')
    }
    chownSync(home, 12345, -1)
    const { exitCode, stdout } = await runScript(`${asNobodyKnown} codex-auth status --json`, { home })
    expect({ exitCode, state: JSON.parse(stdout).state }).toEqual({ exitCode: 4, state: 'none' })
  })

  test.for([undefined, ''])('is never below the current one when HOME is %j', async (HOME) => {
    const home = newHome()
    const env = { CODEX_AUTH_HOME: undefined, HOME }
    const { stdout } = await runScript('codex-auth status --json', { home, env, cwd: home })
    const { path } = JSON.parse(stdout).store
    expect({ absolute: isAbsolute(path), below: path.startsWith(home), written: readdirSync(home) }).toEqual({
      absolute: true,
      below: false,
      written: [],
    })
  })
})

/** A user id that no account has, as containers have it. */
const asNobodyKnown = 'setpriv --reuid 12345 --clear-groups env -u HOME'

function manner({ exitCode, stderr }: Ended): typeof IN_A_WORD {
  return {
    failed: exitCode !== null && exitCode > 0,
    showsItsInsides: /^\s+at |node:|Error:/m.test(stderr),
    isShort: stderr.split('\n').length <= 3,
  }
}
