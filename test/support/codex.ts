import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { recordOutput } from './secrets.ts'

/** The release that the tests are written for. */
const CODEX_VERSION = '0.169.0'

const PACKAGE = dirname(createRequire(import.meta.url).resolve('codex-auth/package.json'))
const CACHE = join(PACKAGE, 'node_modules/.cache/codex-cli')

export interface CodexOptions {
  /** Its `CODEX_HOME`, which must exist, and its home folder as well. */
  readonly codexHome: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What is on its standard input; nothing unless told. */
  readonly stdin?: string
  /** The folder it works in; its home unless told. */
  readonly cwd?: string
}

export interface CodexEnded {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCodex {
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<CodexEnded>
}

/** Milliseconds. Longer than anything here takes, so that one that hangs does not outlive its test. */
const TIME_LIMIT = 90_000

let program: Promise<string> | undefined

/** The real Codex CLI, installed from the registry on first use and kept with the other packages. */
export function codexProgram(): Promise<string> {
  return (program ??= installOnce())
}

/** Starts the real Codex CLI as a child process without a terminal; nothing of this machine's own Codex is seen by it. */
export async function startCodex(args: readonly string[], options: CodexOptions): Promise<RunningCodex> {
  const { codexHome, cwd = codexHome, stdin = '' } = options
  const { PATH, TMPDIR, LANG } = process.env
  const child = spawn(process.execPath, [await codexProgram(), ...args], {
    cwd,
    env: { PATH, TMPDIR, LANG, HOME: codexHome, CODEX_HOME: codexHome, ...options.env },
    stdio: 'pipe',
    timeout: TIME_LIMIT,
  })
  if (child.pid === undefined) throw new Error('Codex did not start')
  // It may end without having read what was sent to it.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = once(child, 'close').then(([exitCode]) => {
    recordOutput(output.stdout + output.stderr, `what codex ${args[0] ?? ''} printed`)
    return { exitCode: exitCode as number | null, ...output }
  })
  return { pid: child.pid, kill: (signal) => void child.kill(signal), ended }
}

/** Runs the real Codex CLI to its end. */
export async function runCodex(args: readonly string[], options: CodexOptions): Promise<CodexEnded> {
  return (await startCodex(args, options)).ended
}

/** Whoever is first puts the whole installation in place at once; files that are tested at the same time share it. */
async function installOnce(): Promise<string> {
  const installed = join(CACHE, CODEX_VERSION)
  const launcher = join(installed, 'node_modules/@openai/codex/bin/codex.js')
  if (existsSync(launcher)) return launcher
  mkdirSync(CACHE, { recursive: true })
  const staged = mkdtempSync(join(CACHE, 'installing-'))
  try {
    await install(staged)
    renameSync(staged, installed)
  } catch (error) {
    if (!existsSync(launcher)) throw error
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
  return launcher
}

async function install(folder: string): Promise<void> {
  const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', folder]
  await promisify(execFile)('npm', ['install', ...flags, `@openai/codex@${CODEX_VERSION}`])
}
