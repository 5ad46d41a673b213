/** Words as they are read, in any place of an mdoc(7) page. */
export function escape(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll(
      /[^\n -~]/gu,
      (sign) => `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}

/** Sentences, each beginning on a line of its own, as the macros want them. */
export function prose(text: string): string {
  const sentences = text.split(/(?<=[.:!?])\s+(?=[A-Z])|\n/)
  return sentences.flatMap((sentence) => wrapped(escape(sentence.trim()).split(' '))).join('\n')
}

/** Bytes in a line of source, which mandoc's lint asks for. */
const WIDTH = 80

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = []
  for (const word of words) {
    const line = lines.at(-1)
    if (line !== undefined && `${line} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines.map(asText)
}

/** A line that begins with a dot or an apostrophe would be taken for a macro. */
function asText(line: string): string {
  return line.startsWith('.') ? String.raw`\&${line}` : line
}

/** A macro with arguments, each of which is one word to it and calls no other. */
export function macro(name: string, ...words: readonly string[]): string {
  return [`.${name}`, ...words.map(argument)].join(' ')
}

/** `\&` keeps what looks like a macro or a delimiter from being taken for one. */
export function argument(word: string): string {
  const text = escape(word).replaceAll('"', String.raw`\(dq`)
  const plain = /^([A-Z][a-z]{1,2}|[.,;:!?()[\]|]+)$/.test(text) ? String.raw`\&${text}` : text
  return plain.includes(' ') ? `"${plain}"` : plain
}

/** Lines of a shell, as they stand or continued where they are too long for a terminal. */
export function literal(lines: readonly string[]): string {
  const shown = lines.flatMap(folded).map((line) => asText(escape(line)))
  return ['.Bd -literal -offset indent', ...shown, '.Ed'].join('\n')
}

/** Columns beside the indentation. */
const COLUMNS = 66

function folded(line: string): string[] {
  const at = line.length > COLUMNS ? line.lastIndexOf(' --', COLUMNS) : -1
  return at === -1 ? [line] : [`${line.slice(0, at)} \\`, ...folded(`   ${line.slice(at)}`)]
}

export interface Item {
  /** The macro line that is explained, without its `.It`. */
  readonly head: string
  readonly text: string
}

/** Heads with what they mean below them. */
export function list(items: readonly Item[]): string {
  if (items.length === 0) return ''
  const lines = items.map(({ head, text }) => `.It ${head}\n${prose(text)}`)
  return ['.Bl -tag -width Ds', ...lines, '.El'].join('\n')
}
