import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { credentialPath } from '../../src/adapters/store/sealed-file.ts'
import { profileStore } from '../../src/adapters/store/profile-store.ts'
import { terminalInput } from '../../src/adapters/terminal-input.ts'
import { main } from '../../src/cli.ts'
import type { Whereabouts } from '../../src/commands/context.ts'
import type { Credential } from '../../src/core/credential.ts'
import type { Browser, CredentialStore, RunCommand } from '../../src/core/ports.ts'
import type { Surroundings } from '../../src/system-context.ts'
import { recordOutput, type SecretKind } from './secrets.ts'
import { signIn, type Page } from './sign-in.ts'

export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** All there is besides `CODEX_AUTH_HOME`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Standard error is a terminal; it is none unless told. */
  readonly terminal?: boolean
  /** Standard output is a terminal; it is none unless told. */
  readonly stdoutIsTerminal?: boolean
  /** Both are terminals that show colours. */
  readonly colours?: boolean
  /** Of the terminal; so many that nothing is wrapped, unless told. */
  /** A function: they may change while it runs. */
  readonly columns?: number | (() => number)
  /** Standard input: {@link piped}, {@link openPipe} or {@link keyboard}; there is none unless told. */
  readonly stdin?: FakeStdin
  /** Where it runs: at a desktop, where a browser can be seen, unless told. `system`: wherever this machine is. */
  readonly where?: Partial<Whereabouts> | 'system'
  /** Epoch seconds at which the program's clock stands still, or the clock; that of this machine unless told. */
  readonly now?: number | (() => number)
  /** One that fails the test when it is opened, unless told. */
  readonly browser?: Browser
  /** One that fails the test when a command is run, unless told. */
  readonly runCommand?: RunCommand
  readonly interruption?: AbortSignal
  /** The script that it was started by; one that is not there, unless told. */
  readonly script?: string
}

/** As much of a process's standard input as the program uses. */
export interface FakeStdin extends PassThrough {
  readonly isTTY?: boolean
}

/** Standard input that is this, and ends. */
export function piped(text: string): FakeStdin {
  return new PassThrough().end(text)
}

/** Standard input to which somebody still may write. */
export function openPipe(): FakeStdin {
  return new PassThrough()
}

/** A terminal at which somebody may type. */
export function keyboard(): FakeStdin {
  return Object.assign(new PassThrough(), { isTTY: true })
}

/** A call that has not ended. */
export interface Running {
  /** Resolves with the first match in what it has said on standard error. Rejects when it ends without one. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
}

/** Words, or a line of them that is split at its spaces. */
export type Words = string | readonly string[]

/** A folder in which the program, called in this process, keeps everything. */
export interface Home {
  readonly path: string
  /** The program's own store in it, as another process has it. */
  readonly store: CredentialStore
  run(words: Words, options?: RunOptions): Promise<Ended>
  start(words: Words, options?: RunOptions): Running
  /** Saves a login, as the program itself does. */
  keep(credential: Credential, profile?: string): Promise<void>
  /** What is stored. `undefined`: nothing. */
  kept(profile?: string): Credential | undefined
  credentialFile(profile?: string): string
  /**
   * Removes it. @throws when one of these secrets was printed where none belongs: anywhere but in the output of `token`
   * and the address to sign in at.
   */
  remove(secrets: Iterable<string>): void
}

export function temporaryHome(): Home {
  const path = mkdtempSync(join(tmpdir(), 'codex-auth-'))
  // A store of its own for each use: nothing is remembered from before.
  const open = (): CredentialStore =>
    profileStore({ root: path, lockWait: 10, interruption: new AbortController().signal })
  const printed: Printed[] = []
  const start = (words: Words, options: RunOptions = {}): Running =>
    startProgram(path, words, options, printed)
  return {
    path,
    get store() {
      return open()
    },
    start,
    run: (words, options) => start(words, options).ended,
    keep: (credential, profile = 'default') =>
      open().exclusively(profile, { work: async (held) => void held.save(credential) }),
    kept: (profile = 'default') => open().read(profile)?.credential,
    credentialFile: (profile = 'default') => credentialPath(path, profile),
    remove: (secrets) => {
      rmSync(path, { recursive: true, force: true })
      const found = leaks(printed, [...secrets])
      if (found.length > 0) throw new Error(`a secret was printed: ${found.join(', ')}`)
    },
  }
}

interface Printed {
  readonly from: string
  readonly text: string
  readonly mayContain: readonly SecretKind[]
}

function startProgram(home: string, words: Words, options: RunOptions, printed: Printed[]): Running {
  const argv = typeof words === 'string' ? words.split(' ') : words
  const output = { stdout: '', stderr: '' }
  const said = new EventEmitter()
  const run = async (): Promise<Ended> => {
    const exitCode = await main(argv, surroundings(home, options, output, said))
    for (const one of printedBy(argv, output)) {
      printed.push(one)
      recordOutput(one.text, one.from, one.mayContain)
    }
    said.emit('ended')
    if (mayPrintJson(argv))
      (await import('./json-shapes.ts')).holdAgainstSchema(argv, exitCode, output.stdout)
    return { exitCode, ...output }
  }
  const ended = run()
  return { ended, says: (pattern) => firstMatch(pattern, output, said) }
}

/** Most calls do not, and are spared the loading of what looks at it. */
function mayPrintJson(argv: readonly string[]): boolean {
  return argv.includes('--json') || argv.includes('json') || argv.includes('--events')
}

type Output = Record<'stdout' | 'stderr', string>

function surroundings(home: string, options: RunOptions, output: Output, said: EventEmitter): Surroundings {
  const { now, env, terminal = false, stdoutIsTerminal = false, columns = 500, stdin, where } = options
  const stderr = (text: string): void => {
    output.stderr += text
    said.emit('said')
  }
  return {
    env: { CODEX_AUTH_HOME: home, ...env },
    stdout: (text) => void (output.stdout += text),
    stderr,
    stderrIsTerminal: terminal,
    stdoutIsTerminal,
    ...(options.colours && { hasColours: { stdout: true, stderr: true } }),
    get columns() {
      return typeof columns === 'function' ? columns() : columns
    },
    ...(stdin && { input: terminalInput(stdin, { write: stderr }) }),
    ...(where !== 'system' && { whereabouts: async () => ({ ...AT_A_DESKTOP, ...where }) }),
    now: typeof now === 'function' ? now : () => now ?? Date.now() / 1000,
    program: { node: '/usr/bin/node', script: options.script ?? '/opt/codex-auth/bin/codex-auth.js' },
    elapsed: () => 0,
    interruption: options.interruption ?? new AbortController().signal,
    browser: options.browser ?? UNEXPECTED_BROWSER,
    runCommand: options.runCommand ?? UNEXPECTED_COMMAND,
  }
}

const AT_A_DESKTOP: Whereabouts = {
  ssh: false,
  container: false,
  wsl: false,
  opensBrowser: true,
  forwarding: (port) => `ssh -L ${port}:localhost:${port} alice@far.example`,
}

const UNEXPECTED_BROWSER: Browser = {
  open: () => Promise.reject(new Error('a browser was opened')),
}

const UNEXPECTED_COMMAND: RunCommand = () => Promise.reject(new Error('a command was run'))

function firstMatch(pattern: RegExp, output: Output, said: EventEmitter): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(output.stderr)
      if (match !== null) resolve(match)
    }
    said.on('said', look).on('ended', () => reject(new Error(`it ended without saying ${pattern}`)))
    look()
  })
}

const COMMANDS = new Set([
  'login',
  'token',
  'exec',
  'refresh',
  'status',
  'logout',
  'profile',
  'config',
  'completion',
  'setup',
  'import',
  'export',
])

function printedBy(argv: readonly string[], { stdout, stderr }: Output): Printed[] {
  const command = argv.find((word) => COMMANDS.has(word)) ?? ''
  return [
    {
      from: `stdout of codex-auth ${command}, in process`,
      text: stdout,
      mayContain: command === 'token' ? ['access_token', 'api_key'] : [],
    },
    { from: `stderr of codex-auth ${command}, in process`, text: stderr, mayContain: [] },
  ]
}

function leaks(printed: readonly Printed[], secrets: readonly string[]): string[] {
  return printed
    .filter(({ mayContain }) => mayContain.length === 0)
    .filter(({ text }) => {
      const lines = text.split('\n').filter((line) => !line.includes('code_challenge='))
      return secrets.some((secret) => lines.some((line) => line.includes(secret)))
    })
    .map(({ from }) => from)
}

/** A person at a browser. */
export interface FakeBrowser extends Browser {
  /** The addresses it was opened with. */
  readonly opened: readonly string[]
  /** The page that the person sees at the end of the last visit. */
  lastPage(): Promise<Page>
}

/** `visit`: what the person does there; signs in, unless told. */
export function fakeBrowser(
  visit: (address: string) => Promise<Page> = (address) => signIn(address),
): FakeBrowser {
  const opened: string[] = []
  let page: Promise<Page> = Promise.reject(new Error('the browser was not opened'))
  page.catch(() => undefined)
  return {
    opened,
    lastPage: () => page,
    open: (url) => {
      opened.push(url)
      page = visit(url)
      page.catch(() => undefined)
      return Promise.resolve(true)
    },
  }
}
