/** One way to start a browser. */
export interface BrowserCommand {
  /** As it was written: the name of a program may hold spaces. */
  readonly text: string
  /** The program and its arguments, at least one word. */
  readonly words: readonly string[]
}

/**
 * Reads a list of commands as `BROWSER` has it: separated by `:`, on Windows by `;`. Words are separated by spaces, and
 * quotes keep both together. Nothing else means anything: no shell takes part.
 */
export function browserCommands(list: string, platform: NodeJS.Platform): BrowserCommand[] {
  const separator = platform === 'win32' ? ';' : ':'
  return split(pieces(list, platform), (piece) => piece === separator).flatMap(command)
}

/** Reads one command. Empty: there is no word in it. */
export function browserCommand(text: string, platform: NodeJS.Platform): BrowserCommand[] {
  return command(pieces(text, platform))
}

/** Puts the address where `%s` is among the arguments, else behind them; `%%` is a percent sign. */
export function withAddress([program = '', ...args]: readonly string[], url: string): string[] {
  const filled = args.map((word) => word.replaceAll(/%[%s]/g, (sign) => (sign === '%s' ? url : '%')))
  return [program, ...filled, ...(hasPlace(args) ? [] : [url])]
}

/**
 * Whether the address would be read as part of a command: those of Windows read all of their arguments that way, which
 * for an address with `&` never ends well, and others the text that `%s` is in.
 */
export function isShell({ words: [program = '', ...args] }: BrowserCommand): boolean {
  const name = program.replace(/^.*[\\/]/, '').replace(/\.exe$/i, '')
  return /^(?:cmd|powershell|pwsh)$/i.test(name) || (/^(?:ba|da|fi|k|z)?sh$/.test(name) && hasPlace(args))
}

function hasPlace(args: readonly string[]): boolean {
  return args.some((word) => word.replaceAll('%%', '').includes('%s'))
}

function command(source: readonly string[]): BrowserCommand[] {
  const words = split(source, (piece) => /^\s$/.test(piece)).map((word) => word.map(unquoted).join(''))
  return words.length === 0 ? [] : [{ text: source.join('').trim(), words }]
}

const QUOTED = /'[^']*'|"(?:\\.|[^"\\])*"|\\.|./gsu
/** There, paths are full of backslashes, and people's names bring apostrophes into them. */
const QUOTED_ON_WINDOWS = /"[^"]*"|./gsu

/** Single characters, and what is quoted as a whole. A quote that does not end is a character as any other. */
function pieces(text: string, platform: NodeJS.Platform): string[] {
  return text.match(platform === 'win32' ? QUOTED_ON_WINDOWS : QUOTED) ?? []
}

function unquoted(piece: string): string {
  if (piece.length < 2) return piece
  if (piece.startsWith("'")) return piece.slice(1, -1)
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, '$1')
  return piece.replace(/^\\/, '')
}

function split(source: readonly string[], isBreak: (piece: string) => boolean): string[][] {
  const parts: string[][] = [[]]
  for (const piece of source) {
    if (isBreak(piece)) parts.push([])
    else parts.at(-1)?.push(piece)
  }
  return parts.filter((part) => part.length > 0)
}
