/** What stands on the screen in place of a token: nothing of it, not even its length. */
export const MASK = '••••••••'

/** Columns; what the demo itself says is wrapped there, what programs print is not. */
const WIDTH = 78

const STYLES = { bold: [1, 22], dim: [2, 22], green: [32, 39], red: [31, 39], cyan: [36, 39] } as const
type Style = keyof typeof STYLES

/** The demo's page: headings, what the demo says, what a reader would type, and what came of it. */
export interface Screen {
  title(text: string): void
  heading(number: number, text: string): void
  /** The demo's own words, wrapped. */
  say(text: string): void
  /** A command line as the reader would type it. */
  command(line: string): void
  /** What a program printed. */
  output(text: string): void
  /** What has been checked, and held. */
  held(text: string): void
  failed(text: string): void
  end(text: string): void
}

/** No colours where they would be noise: in a pipe, with `NO_COLOR`, on a terminal that has none. */
export function screenOn(stream: NodeJS.WriteStream): Screen {
  const coloured = stream.isTTY && stream.hasColors()
  const styled = (style: Style, text: string): string => {
    const [on, off] = STYLES[style]
    return coloured ? `\u001B[${on}m${text}\u001B[${off}m` : text
  }
  const write = (...lines: string[]): void => void stream.write(lines.map((line) => `${line}\n`).join(''))
  const wrappedIn = (style: Style, text: string): string[] => wrapped(text).map((line) => styled(style, line))
  return {
    title: (text) => write(styled('bold', text)),
    heading: (number, text) => write('', styled('bold', styled('cyan', `${number}. ${text}`))),
    say: (text) => write(...wrappedIn('dim', text)),
    command: (line) => write('', ...`$ ${line}`.split('\n').map((part) => styled('bold', part))),
    output: (text) => write(...text.trimEnd().split('\n')),
    held: (text) => write(...hanging(styled('green', '✓'), text)),
    failed: (text) => write('', ...hanging(styled('red', '✗'), text)),
    end: (text) => write('', ...wrappedIn('bold', text)),
  }
}

function hanging(mark: string, text: string): string[] {
  return wrapped(text, WIDTH - 2).map((line, at) => `${at === 0 ? mark : ' '} ${line}`)
}

function wrapped(text: string, width = WIDTH): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trimStart()
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
