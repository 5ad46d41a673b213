import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PROGRAM } from '../support/cli.ts'
import { findLeaks, recordOutput } from '../support/secrets.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const DEMO = join(dirname(PROGRAM), '../build/demo.js')

/** With a folder of its own for everything temporary, and not on a terminal. */
function startDemo(folder: string) {
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    ...output,
  }))
  return { child, output, ended }
}

/** Headings, commands and findings, without what differs between two runs. None has a colour, off a terminal. */
function keyLines(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((line) => /^(?:\d\. |\$ |✓ |✗ |All )/.test(line))
    .map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replace(/in \d+ s/, 'in N s'))
}

test('the demo plays a whole login, shows no token, and leaves nothing behind', async () => {
  const [folder, secretsFolder] = [temporaryFolder(), temporaryFolder()]
  vi.stubEnv('CODEX_AUTH_TEST_SECRETS', secretsFolder)
  onTestFinished(() => void vi.unstubAllEnvs())

  const { exitCode, stdout, stderr } = await startDemo(folder).ended

  recordOutput(stdout, 'the demo')
  const { secrets, leaks } = findLeaks(secretsFolder)
  expect(secrets).toBeGreaterThan(0)
  expect({ exitCode, stderr, lines: keyLines(stdout), left: readdirSync(folder), leaks }).toEqual({
    exitCode: 0,
    stderr: '',
    lines: [
      '1. Sign in',
      '$ codex-auth login --no-browser --provider oidc \\',
      '✓ signed in; the tokens rest in a sealed file',
      '2. What is stored',
      '$ codex-auth status',
      '✓ exit code 0: "codex-auth token" will work',
      '3. Use the token',
      '$ codex-auth token',
      '$ curl -H "Authorization: Bearer $(codex-auth token)" http://HOST/me',
      '✓ the provider takes it and knows whose it is',
      '✓ no refresh: a living token is only read',
      '4. Refresh',
      '$ codex-auth refresh',
      '✓ a new access token, for one request',
      '5. Ten processes, one expired token, one refresh',
      '$ codex-auth refresh',
      '$ codex-auth status',
      '✓ the token has expired',
      '$ for i in $(seq 10); do codex-auth token & done; wait',
      '✓ 10 processes have the same token, and it works',
      '✓ exactly one refresh reached the provider (counted there: 1)',
      '6. Sign out',
      '$ codex-auth logout',
      '✓ the provider has revoked the login',
      '$ codex-auth status',
      '✓ exit code 4: a person has to sign in',
      '7. The revoked token is worth nothing',
      '$ curl -H "Authorization: Bearer ••••••••" http://HOST/me',
      '✓ the provider refuses it',
      'All 7 steps held, in N s. Nothing of it is left here.',
    ],
    left: [],
    leaks: [],
  })
})

test('Ctrl-C ends the demo in the middle, and leaves nothing behind', async () => {
  const folder = temporaryFolder()
  const { child, output, ended } = startDemo(folder)
  await vi.waitUntil(() => output.stdout.includes('$ codex-auth status'), { timeout: 30_000 })

  child.kill('SIGINT')

  const { exitCode, stdout } = await ended
  const lastLine = stdout.trimEnd().split('\n').at(-1)
  expect({ exitCode, lastLine, left: readdirSync(folder) }).toEqual({
    exitCode: 130,
    lastLine: 'Interrupted. Nothing of it is left here.',
    left: [],
  })
})
