import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli, startCli } from '../support/cli.ts'
import { credentialFile, fingerprint, newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { jwt } from '../support/fake-issuer.ts'
import { recordSecret } from '../support/secrets.ts'
import { available, runScript } from '../support/shell.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startOnTerminal } from '../support/terminal.ts'

const API_KEY = 'sk-proj-of-this-file-0123456789'
const BOB = jwt({
  exp: 4_000_000_000,
  'https://api.openai.com/profile': { email: 'bob@example.com' },
  'https://api.openai.com/auth': { chatgpt_account_id: 'account-2', chatgpt_user_id: 'user-2' },
})
recordSecret(API_KEY, 'api_key')
recordSecret(BOB, 'access_token')

const WITHOUT_TERMINAL = available(['script']).length === 0 ? 'needs script(1) of util-linux' : undefined

describe('a key', () => {
  test.each([
    ['from a pipe', `printenv KEY | codex-auth login --with-api-key`],
    ['from a file', `codex-auth login --with-api-key <"$FILE"`],
    ['from a here-document', `codex-auth login --with-api-key <<END\n$KEY\nEND`],
  ])('%s is saved', async (_what, script) => {
    const [home, FILE] = [newHome(), join(temporaryFolder(), 'key.txt')]
    writeFileSync(FILE, `${API_KEY}\n`)
    expect(await runScript(script, { home, env: { KEY: API_KEY, FILE } })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Saved an API key, profile "default".\n',
    })
    expect((await runCli(['token'], { home })).stdout).toBe(`${API_KEY}\n`)
  })

  test('is saved while somebody holds the pipe open', async () => {
    const home = newHome()
    const running = startCli(['login', '--with-api-key'], { home })
    running.stdin.write(`${API_KEY}\n`)
    expect(await running.ended).toMatchObject({ exitCode: 0 })
  })

  test.each(['</dev/null', '<&-', '</'])('is none from %s', async (redirection) => {
    const home = newHome()
    const ended = await runScript(`codex-auth login --with-api-key ${redirection}`, { home })
    expect(ended).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'codex-auth: No API key came on standard input.\n  Next: printf %s "$SECRET" | codex-auth login --with-api-key\n',
    })
  })
})

describe('a sign-in in a browser', () => {
  test.each(['</dev/null', '<&-', '</', '</dev/zero'])('goes on with %s', async (redirection) => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const browser = join(home, 'browser')
    writeFileSync(browser, `#!${process.execPath}\nfetch(process.argv[2]).then((page) => page.text())\n`, {
      mode: 0o755,
    })
    const words = `--browser --quiet --issuer ${issuer.issuer} --port 0`
    const { exitCode } = await runScript(`codex-auth login ${words} ${redirection}`, {
      home,
      env: { BROWSER: browser },
    })
    expect(exitCode).toBe(0)
  })
})

describe('a secret at a terminal', { skip: WITHOUT_TERMINAL !== undefined }, () => {
  test('is asked for, and not shown', async () => {
    const home = newHome()
    const terminal = startOnTerminal(['login', '--with-api-key'], { home })
    await terminal.shows(/API key \(not shown\): $/)
    terminal.type(`${API_KEY}x\x7f\r`)
    const { exitCode, shown } = await terminal.ended
    expect({ exitCode, shown }).toEqual({
      exitCode: 0,
      shown: 'API key (not shown): \nSaved an API key, profile "default".\n',
    })
    expect((await runCli(['token'], { home })).stdout).toBe(`${API_KEY}\n`)
  })

  test('may be longer than a line of a terminal', async () => {
    const home = newHome()
    const terminal = startOnTerminal(['login', '--with-api-key'], { home })
    await terminal.shows(/API key \(not shown\): $/)
    const key = `sk-${'0123456789'.repeat(600)}`
    terminal.type(`${key}\r`)
    expect((await terminal.ended).exitCode).toBe(0)
    expect((await runCli(['token'], { home })).stdout).toBe(`${key}\n`)
  })

  test('is not asked for any more after Ctrl-C', async () => {
    const home = newHome()
    const terminal = startOnTerminal(['login', '--with-api-key'], { home })
    await terminal.shows(/not shown/)
    terminal.type('sk-pro\x03')
    const { exitCode, shown } = await terminal.ended
    expect({ exitCode, shown }).toEqual({
      exitCode: 130,
      shown: 'API key (not shown): \ncodex-auth: Interrupted.\n  Next: run the command again\n',
    })
  })

  test.each([
    ['y', 0, 'account-2'],
    ['n', 8, 'account-1'],
  ])('may lead to a question, which is answered there: %s', async (answer, exitCode, id) => {
    const [home, issuer] = [newHome(), await newIssuer()]
    await storeLogin(home, issuer.issueLogin())
    const before = fingerprint(home)
    const terminal = startOnTerminal(['login', '--with-access-token'], { home })
    await terminal.shows(/Access token \(not shown\): $/)
    terminal.type(`${BOB}\r`)
    await terminal.shows(/Replace it by bob@example\.com\? \[y\/N\] $/)
    terminal.type(`${answer}\n`)
    expect((await terminal.ended).exitCode).toBe(exitCode)
    const status = JSON.parse((await runCli(['status', '--json'], { home })).stdout)
    expect({ id: status.account.id, same: fingerprint(home) === before }).toEqual({
      id,
      same: exitCode !== 0,
    })
    expect(readFileSync(credentialFile(home)).length).toBeGreaterThan(0)
  })
})
