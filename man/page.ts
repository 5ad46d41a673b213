import type { Command, Help, Option } from 'commander'
import { EXIT_CODES, type ExitName } from '../src/core/exit-code.ts'
import { argument, escape, list, literal, macro, prose, type Item } from './mdoc.ts'
import { ENVIRONMENT, EXIT_MEANINGS, FILES, type Row } from './tables.ts'

/** The manual page of the program, in mdoc(7), from what `--help` says. `date` is of the build. */
export function manualPage(root: Command, date: Date): string {
  const help = root.createHelp()
  const month = date.toLocaleString('en', { month: 'long', timeZone: 'UTC' })
  const parts = [
    `.Dd ${month} ${date.getUTCDate()}, ${date.getUTCFullYear()}`,
    `.Dt ${root.name().toUpperCase()} 1`,
    '.Os',
    // Values and flags are not to be broken.
    '.hlm 0',
    '.Sh NAME',
    macro('Nm', root.name()),
    macro('Nd', phrase(root.description())),
    '.Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Ar command\n.Op Ar arguments',
    '.Sh DESCRIPTION',
    ...DESCRIPTION,
    '.Sh COMMANDS',
    ...commandsIn(root, help).flatMap((command) => describe(command, [])),
    '.Sh GLOBAL OPTIONS',
    'Each command takes these as well.',
    list(help.visibleOptions(root).map((option) => flagItem(option, help))),
    '.Sh ENVIRONMENT',
    list(ENVIRONMENT.map((row) => rowItem('Ev', row))),
    '.Sh FILES',
    ...FOLDER,
    list(FILES.map((row) => rowItem('Pa', row))),
    '.Sh EXIT STATUS',
    list(Object.entries(EXIT_CODES).map(([name, code]) => exitItem(name as ExitName, code))),
  ]
  return `${parts.filter((part) => part !== '').join('\n')}\n`
}

const DESCRIPTION = [
  '.Nm',
  prose(
    'signs in once, keeps the tokens in a sealed file, and hands a usable access token to every program that asks for one. However many processes ask at once, a refresh token is spent exactly once.',
  ),
  '.Pp',
  prose(
    'Results go to standard output, and everything said to a person to standard error. With --json, results and failures are one JSON object on standard output; its schemas are in the package. Durations are written as 90 (seconds), 90s, 30m, 12h or 7d.',
  ),
]

const FOLDER = [
  prose(
    'Everything is in one folder: $CODEX_AUTH_HOME, else $XDG_CONFIG_HOME/codex-auth or ~/.config/codex-auth on Linux, ~/Library/Preferences/codex-auth on macOS, and %APPDATA%\\codex-auth\\Config on Windows. It is for its owner alone.',
  ),
]

/** As the page's one-line summary has it: neither a capital at its beginning nor a stop at its end. */
function phrase(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`.replace(/\.$/, '')
}

/** Those that are shown, without the one that explains others. */
function commandsIn(command: Command, help: Help): Command[] {
  return help.visibleCommands(command).filter((below) => command.commands.includes(below))
}

function describe(command: Command, above: readonly string[]): string[] {
  const help = command.createHelp()
  const path = [...above, command.name()]
  const flags = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  return [
    `.Ss ${escape([...path, ...command.registeredArguments.map((one) => one.name().toUpperCase())].join(' '))}`,
    prose(`${help.commandDescription(command)}.`),
    list(flags.map((option) => flagItem(option, help))),
    ...afterHelp(command),
    ...commandsIn(command, help).flatMap((below) => describe(below, path)),
  ]
}

/** What stands after the flags in `--help`: words, and lines to be typed, which are indented there. */
function afterHelp(command: Command): string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  const lines = text.slice(command.helpInformation().length).trim().split('\n')
  const blocks = lines.join('\n').split(/\n(?! )|(?<=^\S.*)\n(?= )/m)
  return blocks.flatMap((block) => {
    if (block === '') return []
    const shown = block.split('\n')
    return block.startsWith(' ') ? [literal(shown.map((line) => line.trim()))] : ['.Pp', prose(block)]
  })
}

function flagItem(option: Option, help: Help): Item {
  const [names = '', value] = option.flags.split(/ (?=[<[])/)
  const flags = names.split(', ').map((name) => `Fl ${escape(name.slice(1))}`)
  const placeholder = value === undefined ? '' : ` Ar ${argument(value.replaceAll(/[<>[\]]/g, ''))}`
  return { head: `${flags.join(' , ')}${placeholder}`, text: `${sentence(help.optionDescription(option))}.` }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function rowItem(name: 'Ev' | 'Pa', { names, meaning }: Row): Item {
  return { head: names.map((each) => `${name} ${argument(each)}`).join(' , '), text: meaning }
}

function exitItem(name: ExitName, code: number): Item {
  return { head: `${code} Pq ${argument(name)}`, text: EXIT_MEANINGS[name] }
}
