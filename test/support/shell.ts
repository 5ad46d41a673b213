import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PROGRAM, type Ended } from './cli.ts'
import { recordOutput, type SecretKind } from './secrets.ts'
import { recordFiles } from './written-files.ts'

export interface ScriptOptions {
  readonly home: string
  readonly shell?: string
  /** `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** What the script prints on purpose. */
  readonly mayContain?: readonly SecretKind[]
  /** `true`: nobody reads its standard output, and everything is in place before its first line runs. */
  readonly stdoutClosed?: boolean
}

/** Runs a script in which `codex-auth` is a command like any other. */
export async function runScript(script: string, options: ScriptOptions): Promise<Ended> {
  const { home, shell = 'sh', env, cwd, mayContain = [], stdoutClosed = false } = options
  const bin = mkdtempSync(join(tmpdir(), 'codex-auth-bin-'))
  symlinkSync(PROGRAM, join(bin, 'codex-auth'))
  // For scripts that become somebody else.
  chmodSync(bin, 0o755)
  const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const child = spawn(shell, ['-c', stdoutClosed ? `read -r _\n${script}` : script], {
    env: { HOME: process.env['HOME'], PATH: path, CODEX_AUTH_HOME: home, ...env },
    cwd,
    stdio: 'pipe',
  })
  if (stdoutClosed) {
    child.stdout.destroy()
    await once(child.stdout, 'close')
  }
  child.stdin.end(stdoutClosed ? 'go\n' : '')
  const [stdout, stderr, exitCode] = await Promise.all([
    stdoutClosed ? '' : text(child.stdout),
    text(child.stderr),
    once(child, 'close').then(([code]) => code as number | null),
  ])
  rmSync(bin, { recursive: true })
  recordOutput(stdout, 'stdout of a script', mayContain)
  recordOutput(stderr, 'stderr of a script')
  recordFiles(home)
  return { exitCode, stdout, stderr }
}

/**
 * Those of these commands that are on this machine; those that are not are named. In CI all of them are tried, so that
 * one that is missing there fails.
 */
export function available(commands: readonly string[]): string[] {
  if (process.env['CI']) return [...commands]
  const missing = commands.filter((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
  if (missing.length > 0) process.stderr.write(`Not installed, and so not tried: ${missing.join(', ')}\n`)
  return commands.filter((command) => !missing.includes(command))
}
