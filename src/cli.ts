import { Command, CommanderError } from 'commander'
import { AuthError } from './errors.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addConfigCommand } from './commands/config.ts'
import type { Context, GlobalFlags } from './commands/context.ts'
import { addExecCommand } from './commands/exec.ts'
import { partAtCommand } from './commands/exec-words.ts'
import { asksForEvents, printEvent } from './commands/login-events.ts'
import { addExportCommand } from './commands/export.ts'
import { addImportCommand } from './commands/import.ts'
import { addLoginCommand } from './commands/login.ts'
import { addLogoutCommand } from './commands/logout.ts'
import { tellFailure } from './commands/output.ts'
import { addProfileCommand } from './commands/profile.ts'
import { addRefreshCommand } from './commands/refresh.ts'
import { addSetupCommand } from './commands/setup.ts'
import { addStatusCommand } from './commands/status.ts'
import { tinted } from './commands/tint.ts'
import { addTokenCommand } from './commands/token.ts'
import { EXIT_CODES, exitCode, exitName, nextStep } from './core/exit-code.ts'
import { chooseProfile, profileFlag } from './core/profile-name.ts'
import { systemContext, type Surroundings } from './system-context.ts'
import { thisProcess } from './this-process.ts'
import { version } from './version.ts'

/** Runs one call and resolves with its exit code. Never rejects. */
export async function main(
  argv: readonly string[],
  surroundings: Surroundings = thisProcess(),
): Promise<number> {
  let ending: number = EXIT_CODES.ok
  let { interruption } = surroundings
  const { own, command } = partAtCommand(argv)
  const context = systemContext(narrowed(surroundings, own), {
    endWith: (code) => void (ending = code),
    endAs: (code) => {
      ending = code
      interruption = OBEYED
    },
  })
  const root = program(context, command)
  const flags = (): FailureFlags => ({ ...root.opts<GlobalFlags>(), events: asksForEvents(own) })
  try {
    await root.parseAsync(own, { from: 'user' })
    const { aborted, reason } = interruption
    // A signal that came while an answer was being saved is obeyed now; the result is the one object on stdout.
    return aborted
      ? await failure(afterwards(reason), { ...flags(), json: false, events: false }, context)
      : ending
  } catch (error) {
    return await failure(error, flags(), context)
  }
}

/** In a list of commands: without what they may be given, which makes the list wide and is on their own pages. */
function termOf(command: Command): string {
  const needed = command.registeredArguments.filter(({ required }) => required)
  return [command.name(), ...needed.map((argument) => `<${argument.name()}>`)].join(' ')
}

/** What two flags take away is gone before the first word is said, whatever is wrong with the others. */
function narrowed(surroundings: Surroundings, words: readonly string[]): Surroundings {
  const { hasColours, stderrIsTerminal, ...rest } = surroundings
  return {
    ...rest,
    // Looked up each time: a terminal may be made narrower while somebody waits.
    get columns() {
      return surroundings.columns
    },
    stderrIsTerminal: stderrIsTerminal && !words.includes('--no-input'),
    ...(hasColours && !words.includes('--no-color') && { hasColours }),
  }
}

/** What was under way when the signal came has been done: to run the command again would do it twice. */
function afterwards(reason: unknown): unknown {
  if (!(reason instanceof AuthError)) return reason
  return new AuthError(reason.code, reason.message, {
    nextStep: 'see what has been done: codex-auth status',
  })
}

/** Nothing is left to obey. */
const OBEYED = new AbortController().signal

/** The tree of all commands, which does nothing until it is told to parse a call. */
export function program(context: Context, commandToRun: readonly string[] = []): Command {
  const root = new Command('codex-auth')
  root
    .description('One OAuth login, any number of processes, exactly one refresh.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .option('--profile <name>', 'which login to use')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'say nothing but results and errors')
    .option('--debug', 'print a redacted trace on stderr')
    .option('--no-color', 'no colours')
    .option('--no-input', 'never ask or open anything; end with 9 where a person is needed')
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: Math.min(context.columns, 100),
      subcommandTerm: termOf,
      styleTitle: (title) => tinted('strong', title, context.stdoutHasColours),
    })
    .configureOutput({
      writeOut: context.stdout,
      writeErr: () => undefined,
      getOutHasColors: () => context.stdoutHasColours,
    })
    .exitOverride()
  addLoginCommand(root, context)
  addTokenCommand(root, context)
  addExecCommand(root, context, commandToRun)
  addStatusCommand(root, context)
  addRefreshCommand(root, context)
  addLogoutCommand(root, context)
  addProfileCommand(root, context)
  addConfigCommand(root, context)
  addSetupCommand(root, context)
  addImportCommand(root, context)
  addExportCommand(root, context)
  addCompletionCommand(root, context)
  explainMistakes(root, 'codex-auth')
  return root
}

/** Whatever is wrong with the words of a command becomes a usage error that points to the help of just this command. */
function explainMistakes(command: Command, path: string): void {
  command.exitOverride((ending) => {
    if (ending.exitCode === 0) throw ending
    if (ending.code !== 'commander.help') throw usageError(ending, path)
    // A command that only has others below it was called alone: that asks for its help.
    command.outputHelp()
    throw new CommanderError(0, ending.code, ending.message)
  })
  for (const below of command.commands) explainMistakes(below, `${path} ${below.name()}`)
}

function usageError({ message }: CommanderError, path: string): AuthError {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ')
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return new AuthError('usage', /[.)]$/.test(sentence) ? sentence : `${sentence}.`, {
    nextStep: `${path} --help`,
  })
}

interface FailureFlags extends GlobalFlags {
  /** The failure is an event of a sign-in that another program drives. */
  readonly events: boolean
}

/** The one place where a failure becomes an exit code and words. What is no {@link AuthError} is a bug and shows its stack. */
async function failure(thrown: unknown, flags: FailureFlags, context: Context): Promise<number> {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT_CODES.ok
  const known = thrown instanceof AuthError
  const name = known ? exitName(thrown.code) : 'failure'
  const shape = {
    code: name,
    exit_code: exitCode(name),
    message: known
      ? thrown.message
      : 'Something unforeseen happened: this is a bug. Details are on standard error.',
    next_step: known
      ? nextStep(thrown, await flagFor(flags, context))
      : 'report it, with what standard error shows',
  }
  if (flags.events) printEvent(context, 'failed', { error: shape })
  else if (flags.json) context.stdout(`${JSON.stringify({ schema_version: 1, error: shape })}\n`)
  // The terminal has shown the key itself, and no end of its line.
  if (name === 'interrupted' && context.stderrIsTerminal) context.stderr('\n')
  if (known) tellFailure(context, thrown.message, shape.next_step)
  else context.stderr(`codex-auth: bug: ${stackOf(thrown)}\n`)
  return exitCode(name)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** What named the profile may itself be what is wrong. */
async function flagFor({ profile }: GlobalFlags, context: Context): Promise<string> {
  try {
    const settings = await context.settings()
    return profileFlag(chooseProfile(profile, context.env, settings), context.env, settings)
  } catch (error) {
    if (error instanceof AuthError) return ''
    throw error
  }
}
