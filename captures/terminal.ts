import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A shell at a real terminal, played by tmux. */
export interface Terminal {
  /** Types a command for the shell. */
  run(command: string): void
  /** Types a line for the program that runs. */
  enter(line: string): void
  /** Presses a key by tmux's name for it, such as `C-c`. */
  press(key: string): void
  /** Resolves with the first match in all that is shown. Rejects when that takes longer than anything here does. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with all that is shown when every command has ended. */
  ended(): Promise<string>
  close(): Promise<void>
}

export interface TerminalOptions {
  readonly columns: number
  /** All of the shell's environment. */
  readonly env: Readonly<Record<string, string>>
}

/** So many that nothing is scrolled away. */
const ROWS = 150

/** Milliseconds. */
const PATIENCE = 30_000

let terminals = 0

export async function startTerminal({ columns, env }: TerminalOptions): Promise<Terminal> {
  const socket = `codex-auth-${process.pid}-${(terminals += 1)}`
  const tmux = (...words: readonly string[]): string =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...words], { env, encoding: 'utf8' })
  const size = ['-x', String(columns), '-y', String(ROWS)]
  // What tmux, or the shell that it starts this with, would set otherwise.
  const own = ['PS1=$ ', 'HISTFILE=/dev/null', `TERM=${env['TERM'] ?? 'tmux-256color'}`]
  tmux('new-session', '-d', ...size, 'env', ...own, 'bash', '--norc', '--noprofile')
  // In this mode, tmux tells of everything that a terminal is sent; its screen is looked at just then.
  const control = spawn('tmux', ['-L', socket, '-C', 'attach', '-f', 'ignore-size'], { env, stdio: 'pipe' })
  const screen = (): string => tmux('capture-pane', '-p', '-J').trimEnd()
  const shows = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        control.stdout.off('data', look)
        clearTimeout(timer)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`the terminal does not show ${pattern}, but:\n${screen()}`))
      }, PATIENCE)
      const look = (): void => {
        const match = pattern.exec(screen())
        if (match === null) return
        end()
        resolve(match)
      }
      control.stdout.on('data', look)
      look()
    })
  const enter = (line: string): void => {
    tmux('send-keys', '-l', '--', line)
    tmux('send-keys', 'Enter')
  }
  const close = async (): Promise<void> => {
    const closed = once(control, 'close')
    tmux('kill-server')
    await closed
  }
  let commands = 0
  const ended = async (): Promise<string> => {
    await shows(prompts(commands + 1))
    return screen()
  }
  await ended().catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    run: (command) => {
      commands += 1
      enter(command)
    },
    enter,
    press: (key) => void tmux('send-keys', key),
    shows,
    ended,
    close,
  }
}

/** The shell has asked for this many commands, and waits for the last one. */
function prompts(count: number): RegExp {
  return new RegExp(String.raw`^(?:\$ [^]*\n){${count - 1}}\$$`)
}
