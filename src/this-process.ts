import { outliveTerminal } from './adapters/closed-terminal.ts'
import { holdBackSignals } from './adapters/signals.ts'
import { terminalInput } from './adapters/terminal-input.ts'
import { isInBackground } from './adapters/terminal-signal.ts'
import { EXIT_CODES } from './core/exit-code.ts'
import { cannotWrite } from './standard-output.ts'
import type { Surroundings } from './system-context.ts'

/** The surroundings of a command that a person or a script has started. From here on, its signals and its terminal are ours. */
export function thisProcess(): Surroundings {
  const { env, stdout, stderr } = process
  stdout.on('error', endWithoutOutput)
  // Its reader, its terminal or its disk has gone: that nothing can be said is no reason to leave anything undone.
  stderr.on('error', () => undefined)
  outliveTerminal()
  return {
    env,
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    stderrIsTerminal: stderr.isTTY,
    stdoutIsTerminal: stdout.isTTY,
    hasColours: { stdout: showsColours(stdout), stderr: showsColours(stderr) },
    get columns() {
      return stderr.columns || 80
    },
    isInBackground: () => isInBackground(),
    now: () => Date.now() / 1000,
    elapsed: () => performance.now() / 1000,
    interruption: holdBackSignals(),
    input: terminalInput(process.stdin, stderr),
  }
}

/** Node.js knows what terminals can do, and `FORCE_COLOR`; of the two variables against it, it warns, and takes empty ones too. */
function showsColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR: none, NODE_DISABLE_COLORS: noneOfNode, ...env } = process.env
  return stream.isTTY && !none && !noneOfNode && stream.hasColors(env)
}

/** Nobody reads any more, or the disk is full: what was asked for has been done, and cannot be told. */
function endWithoutOutput({ code }: NodeJS.ErrnoException): never {
  process.stderr.write(cannotWrite(code))
  process.exit(EXIT_CODES.failure)
}
