import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { PROGRAM } from './cli.ts'
import { recordOutput, type SecretKind } from './secrets.ts'

export interface InteractiveShell {
  /** Types this; `\t` asks for completion. */
  type(text: string): void
  /** Resolves with the first match in what the terminal shows. Rejects when the shell ends without one. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** Ends it. */
  end(): Promise<void>
}

export interface InteractiveShellOptions {
  /** The program's folder. */
  readonly home: string
  /** The shell with its flags. `$START` is the file with `start` in it; zsh reads it by itself. */
  readonly command: string
  /** What it reads before its first prompt. */
  readonly start: string
  /** What is shown on purpose. */
  readonly mayContain?: readonly SecretKind[]
}

/** Starts a shell at a terminal of its own, which util-linux's `script` plays. `codex-auth` is a command in it. */
export function startShell({
  home,
  command,
  start,
  mayContain = [],
}: InteractiveShellOptions): InteractiveShell {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-shell-'))
  symlinkSync(PROGRAM, join(folder, 'codex-auth'))
  const file = join(folder, '.zshrc')
  writeFileSync(file, start)
  const PATH = [folder, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const child = spawn('script', ['--quiet', '--flush', '--command', `exec ${command}`, '/dev/null'], {
    env: {
      PATH,
      HOME: folder,
      TERM: 'xterm',
      SHELL: '/bin/sh',
      CODEX_AUTH_HOME: home,
      START: file,
      ZDOTDIR: folder,
    },
    cwd: folder,
    stdio: 'pipe',
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const ended = once(child, 'close').finally(() => {
    recordOutput(shown, 'an interactive shell', mayContain)
    rmSync(folder, { recursive: true })
  })
  return {
    type: (text) => void child.stdin.write(text),
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stripVTControlCharacters(shown))
          if (match === null) return
          child.stdout.off('data', look)
          resolve(match)
        }
        child.stdout.on('data', look)
        look()
        void ended.then(() => reject(new Error(`it ended without showing ${pattern}: ${shown}`)))
      }),
    end: async () => {
      child.kill()
      await ended
    },
  }
}
