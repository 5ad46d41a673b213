import type { Argument, Command, Option } from 'commander'
import { AuthError } from '../errors.ts'
import { SETTING_NAMES } from '../core/settings.ts'
import type { Context } from './context.ts'

/** A word that may come next. */
interface Candidate {
  readonly word: string
  readonly description: string
}

/** What may come next; files and other programs' words are the shell's to find. */
type Answer = readonly Candidate[] | ':files' | `:command ${number}`

/** How far a line has come before the word at the cursor. */
interface Place {
  readonly command: Command
  /** The command that this one is in; itself at the top. */
  readonly above: Command
  /** The flag whose value comes next. */
  readonly flag: Option | undefined
  /** How many of the command's arguments are there. */
  readonly given: number
  /** How many words come before another program's own. `undefined`: none does. */
  readonly program: number | undefined
}

/**
 * `codex-auth __complete`: what the scripts of `completion` ask when a person presses Tab. Each word comes with a colon
 * before it, so that no shell drops an empty one and none looks like a flag; the last is the one at the cursor.
 * Prints a candidate in each line, with its description after a tab, or one line that begins with a colon.
 */
export function addCompleteCommand(program: Command, context: Context): void {
  program
    .command('__complete [words...]', { hidden: true })
    .description('Print what may come next on a command line')
    .action(async (given: readonly string[]) => {
      const words = given.map((word) => word.slice(1))
      const answer = await candidates(program, words, () => profileNames(context))
      const lines = typeof answer === 'string' ? [answer] : answer.map(lineOf)
      context.stdout(lines.map((line) => `${line}\n`).join(''))
    })
}

function lineOf({ word, description }: Candidate): string {
  return description === '' ? word : `${word}\t${description}`
}

/** A store or a setting that cannot be read is no matter for somebody who is typing. */
async function profileNames(context: Context): Promise<string[]> {
  try {
    return (await context.session({ color: false, input: false })).store.profiles()
  } catch (error) {
    if (error instanceof AuthError) return []
    throw error
  }
}

type Profiles = () => Promise<string[]>

async function candidates(root: Command, words: readonly string[], profiles: Profiles): Promise<Answer> {
  const current = words.at(-1) ?? ''
  const place = placeAfter(root, words.slice(0, -1))
  if (place.program !== undefined) return `:command ${place.program}`
  if (place.flag !== undefined) return valuesOf(place.flag, profiles)
  const [name = '', value] = current.split('=', 2)
  if (value !== undefined) return assignments(name, flagOf(place.command, name), profiles)
  if (current.startsWith('-')) return flagsOf(place.command)
  if (isProgram(argumentOf(place.command, place.given))) return `:command ${words.length - 1}`
  return (await argumentsAt(place, profiles)) ?? (current === '' ? flagsOf(place.command) : [])
}

/** Follows the words through commands, flags and arguments. */
function placeAfter(root: Command, words: readonly string[]): Place {
  let place: Place = { command: root, above: root, flag: undefined, given: 0, program: undefined }
  for (const [at, word] of words.entries()) {
    if (place.program !== undefined) return place
    place = after(place, word, at)
  }
  return place
}

function after(place: Place, word: string, at: number): Place {
  const { command, flag, given } = place
  // Bash takes `--flag=value` for three words.
  if (flag !== undefined) return word === '=' ? place : { ...place, flag: undefined }
  if (word === '--') return { ...place, program: at + 1 }
  if (word.startsWith('-')) {
    const found = word.includes('=') ? undefined : flagOf(command, word)
    return found?.required ? { ...place, flag: found } : place
  }
  const below = given === 0 ? commandsIn(command).find((one) => one.name() === word) : undefined
  if (below !== undefined) return { ...place, command: below, above: command }
  return { ...place, given: given + 1, program: isProgram(argumentOf(command, given)) ? at : undefined }
}

function isProgram(argument: Argument | undefined): boolean {
  return argument?.variadic === true && argument.name() === 'command'
}

function commandsIn(command: Command): Command[] {
  return command.createHelp().visibleCommands(command)
}

/** Of this command, or of one that it is in. */
function flagOf(command: Command, name: string): Option | undefined {
  const own = command.options.find(({ long, short }) => name === long || name === short)
  return own ?? (command.parent ? flagOf(command.parent, name) : undefined)
}

function flagsOf(command: Command): Candidate[] {
  const help = command.createHelp()
  const flags = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
  return flags.map(({ long, short, description }) => ({ word: long ?? short ?? '', description }))
}

function argumentOf({ registeredArguments }: Command, at: number): Argument | undefined {
  const last = registeredArguments.at(-1)
  return registeredArguments[at] ?? (last?.variadic ? last : undefined)
}

/** `undefined`: no argument is due. */
async function argumentsAt(
  { command, above, given }: Place,
  profiles: Profiles,
): Promise<Answer | undefined> {
  // The command that explains others belongs to none.
  const isHelp = command !== above && command.parent === null
  const below = commandsIn(isHelp ? above : command).filter((one) => one !== command)
  if (given === 0 && below.length > 0) return below.map(commandCandidate)
  const argument = argumentOf(command, given)
  if (argument === undefined) return undefined
  if (argument.argChoices !== undefined) return argument.argChoices.map(bare)
  if (argument.name() !== 'name') return isFile(argument.name()) ? ':files' : []
  if (above.name() === 'config') return SETTING_NAMES.map(bare)
  return above.name() === 'profile' ? (await profiles()).map(bare) : []
}

function commandCandidate(command: Command): Candidate {
  return { word: command.name(), description: command.summary() || command.description() }
}

async function valuesOf({ argChoices, long, flags }: Option, profiles: Profiles): Promise<Answer> {
  if (argChoices !== undefined) return argChoices.map(bare)
  if (long === '--profile') return (await profiles()).map(bare)
  return isFile(/<(.*)>/.exec(flags)?.[1] ?? '') ? ':files' : []
}

async function assignments(name: string, flag: Option | undefined, profiles: Profiles): Promise<Answer> {
  const values = flag === undefined ? [] : await valuesOf(flag, profiles)
  if (typeof values === 'string') return values
  return values.map(({ word }) => bare(`${name}=${word}`))
}

function isFile(placeholder: string): boolean {
  return ['file', 'folder', 'path'].includes(placeholder)
}

function bare(word: string): Candidate {
  return { word, description: '' }
}
