import type { Statement } from './toml-scan.ts'

/** A stretch of a text, and what takes its place. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The text with every edit made, and every other byte as it was. Edits do not overlap; an insertion goes first. */
export function edited(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits.toSorted((one, other) => one.start - other.start || one.end - other.end)) {
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}

/** The statement's lines as comments that begin like this. */
export function asComments(text: string, { start, end }: Statement, beginning: string): Edit {
  return { start, end, text: text.slice(start, end).replaceAll(/(^|\n)(?=[^])/g, `$1${beginning}`) }
}

export function isComment(text: string, { kind, start }: Statement, beginning: string): boolean {
  return kind === 'comment' && text.startsWith(beginning, start)
}

/** What stands on the statement's line. */
export function lineOf(text: string, { start, end }: Statement): string {
  return text.slice(start, end).trimEnd()
}

/** How lines end in this text. */
export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

const BYTE_ORDER_MARK = '\uFEFF'

/** The text in two parts, the first of which is a byte order mark or empty. */
export function splitMark(text: string): [mark: string, rest: string] {
  return text.startsWith(BYTE_ORDER_MARK) ? [BYTE_ORDER_MARK, text.slice(1)] : ['', text]
}
