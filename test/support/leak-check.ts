import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findLeaks, recordOutput } from './secrets.ts'
import { recordFiles } from './written-files.ts'

/**
 * Around a whole run of tests: all of their temporary files come to lie in one folder, and at the end no secret that
 * any test used may be in anything that was recorded, in a file that was left, or in what the run itself printed.
 */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-run-'))
  // Some tests run programs as another user.
  chmodSync(folder, 0o711)
  const secrets = join(folder, 'secrets')
  const temporary = join(folder, 'tmp')
  for (const path of [secrets, temporary]) mkdirSync(path, { mode: 0o711 })
  process.env['CODEX_AUTH_TEST_SECRETS'] = secrets
  process.env['TMPDIR'] = temporary
  const printed = listenIn()
  return () => {
    recordOutput(printed(), 'what the run itself printed')
    recordFiles(temporary)
    report(findLeaks(secrets))
    rmSync(folder, { recursive: true })
  }
}

/** Remembers what goes to the terminal from now on. Returns all of it. */
function listenIn(): () => string {
  const chunks: string[] = []
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = new Proxy(stream.write, {
      apply: (write, self, words: [string | Uint8Array]) => {
        chunks.push(Buffer.from(words[0] as string).toString())
        return Reflect.apply(write, self, words)
      },
    })
  }
  return () => chunks.join('')
}

/** An error here would be printed and forgotten: the exit code is what fails the run. */
function report({ secrets, outputs, leaks }: ReturnType<typeof findLeaks>): void {
  process.stdout.write(`\n Looked for ${secrets} secrets in ${outputs} outputs and files: `)
  if (leaks.length === 0) return void process.stdout.write('none leaked.\n')
  process.exitCode = 1
  process.stdout.write(`${leaks.length} LEAKED\n`)
  for (const { kind, from } of leaks) process.stdout.write(`   ${kind} in ${from}\n`)
}
