import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

// What the search for leaks at the end of every run is worth: small runs of their own, with a secret and its leak.

const ROOT = join(import.meta.dirname, '../..')
const SECRETS = join(ROOT, 'test/support/secrets.ts')
const SECRET = "'rt_' + 'planted-by-'.repeat(3)"

test.for([
  [
    'in what the program printed',
    "recordOutput('before ' + secret + ' after', 'stdout of it')",
    'stdout of it',
  ],
  ['in what a test printed', 'console.log(secret)', 'what the run itself printed'],
  ['in how a test failed', "expect(secret).toBe('another')", 'what the run itself printed'],
  [
    'in a file that was left',
    "writeFileSync(join(tmpdir(), 'left.log'), 'POST ' + secret.slice(3))",
    'the file left.log',
  ],
] as const)('a secret %s fails the run', async ([, leak, where]) => {
  const { exitCode, output } = await runOf(leak)
  expect(exitCode).toBe(1)
  expect(output).toContain(`Looked for 1 secrets in `)
  expect(output).toContain(`1 LEAKED\n   refresh_token in ${where}\n`)
})

test('a secret where it belongs does not', async () => {
  const { exitCode, output } = await runOf("recordOutput(secret, 'stdout of it', ['refresh_token'])")
  expect(output).toContain('none leaked.\n')
  expect(exitCode).toBe(0)
})

/** One test that uses a secret and then does this, in a run with the check around it. */
async function runOf(statement: string): Promise<{ exitCode: number | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-planted-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'planted.test.mjs'), testWith(statement))
  const check = join(ROOT, 'test/support/leak-check.ts')
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { globalSetup: ${JSON.stringify(check)} } }`,
  )
  const words = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder]
  const { CODEX_AUTH_TEST_SECRETS: _, ...env } = process.env
  const child = spawn(process.execPath, words, {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = Promise.all([text(child.stdout), text(child.stderr)])
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, output: (await printed).join('') }
}

function testWith(statement: string): string {
  return `
    import { writeFileSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    import { join } from 'node:path'
    import { expect, test } from 'vitest'
    import { recordOutput, recordSecret } from ${JSON.stringify(SECRETS)}
    test('it', () => {
      const secret = ${SECRET}
      recordSecret(secret, 'refresh_token')
      ${statement}
    })
  `
}
