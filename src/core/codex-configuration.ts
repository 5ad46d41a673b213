import { PROVIDER_ID } from './codex-provider.ts'
import { scanToml, type Statement } from './toml-scan.ts'
import { isTable, renderKey, renderValue, type TomlTable } from './toml-value.ts'

/**
 * What we write says of itself that it is ours, in comments that stay with what they belong to when Codex edits its
 * file. Where our table ends follows from the document: a comment behind it would wander off to the document's end.
 */
const TABLE_MARK = '# Written by codex-auth setup codex; taken out again by codex-auth setup codex --undo'
const NEW_FILE = ' (with this file)'
const NO_LAST_NEWLINE = ' (before it, the file ended without a line break)'
const CHOICE = `model_provider = "${PROVIDER_ID}" # codex-auth setup codex`
const KEPT = '# codex-auth setup codex keeps: '

const OUR_TABLE = ['model_providers', PROVIDER_ID]

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The lines that make Codex use our provider, as a person would put them into the file. */
export function renderProvider(provider: TomlTable, lineBreak = '\n'): string {
  const lines = [`model_provider = "${PROVIDER_ID}"`, '', ...tableLines(provider), '']
  return lines.join(lineBreak)
}

/**
 * The configuration with our provider in it, and chosen. What stood there in its place stays as comments, and every other
 * byte as it was; {@link withoutProvider} gives back what there was before.
 * @param text valid TOML that holds nothing of ours; `undefined`: there is no file.
 */
export function withProvider(text: string | undefined, provider: TomlTable): string {
  const mark = text?.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const before = (text ?? '').slice(mark.length)
  const lineBreak = /\r?\n/.exec(before)?.[0] ?? '\n'
  const isOpen = before !== '' && !before.endsWith('\n')
  const whole = isOpen ? before + lineBreak : before
  const note = text === undefined ? NEW_FILE : isOpen ? NO_LAST_NEWLINE : ''
  const added = ['', TABLE_MARK + note, ...tableLines(provider), ''].join(lineBreak)
  return mark + edited(whole, insertions(whole, lineBreak)) + added
}

const BYTE_ORDER_MARK = '\uFEFF'

function insertions(text: string, lineBreak: string): Edit[] {
  const statements = scanToml(text)
  const aside = statements.filter(isOurTable).map((it) => ({ ...it, text: setAside(text, it) }))
  const choice = statements.find(isChoice)
  const at = choice?.end ?? placeForChoice(statements, text.length)
  const kept = choice === undefined ? [] : [{ ...choice, text: setAside(text, choice) }]
  return [...kept, { start: at, end: at, text: CHOICE + lineBreak }, ...aside]
}

function isOurTable({ path }: Statement): boolean {
  return OUR_TABLE.every((name, at) => path[at] === name)
}

function isChoice({ kind, path, isRoot }: Statement): boolean {
  return kind === 'pair' && isRoot && path.length === 1 && path[0] === 'model_provider'
}

/** Behind the last pair that belongs to no table; else before the first table and the comment that belongs to it. */
function placeForChoice(statements: readonly Statement[], length: number): number {
  const last = statements.findLast(({ kind, isRoot }) => kind === 'pair' && isRoot)
  if (last !== undefined) return last.end
  const header = statements.findIndex(({ kind }) => kind === 'table' || kind === 'array of tables')
  let place = statements[header]?.start ?? length
  for (const { kind, start, end } of statements.slice(0, Math.max(header, 0)).toReversed()) {
    // The first line may be one that editors read, such as the schema's address.
    if (kind !== 'comment' || end !== place || start === 0) break
    place = start
  }
  return place
}

function setAside(text: string, { start, end }: Statement): string {
  return text.slice(start, end).replaceAll(/(^|\n)(?=[^])/g, `$1${KEPT}`)
}

function tableLines(provider: TomlTable): string[] {
  const pairs = Object.entries(provider).flatMap(([name, value]): [string, TomlTable[string]][] =>
    // One line each for what people read and change most.
    name === 'auth' && isTable(value)
      ? Object.entries(value).map(([inner, it]) => [`auth.${renderKey(inner)}`, it])
      : [[renderKey(name), value]],
  )
  return [
    `[model_providers.${PROVIDER_ID}]`,
    ...pairs.map(([key, value]) => `${key} = ${renderValue(value)}`),
  ]
}

/**
 * The configuration as it was before {@link withProvider}, with whatever has changed since in the rest of it. `undefined`: the
 * file would be empty, and was made by us. The same text: nothing in it is ours.
 * @param text valid TOML.
 */
export function withoutProvider(text: string): string | undefined {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  const whole = text.slice(mark.length)
  const statements = scanToml(whole)
  const marks = statements.filter((it) => isComment(whole, it, TABLE_MARK))
  const notes = new Set(marks.map((it) => lineOf(whole, it).slice(TABLE_MARK.length)))
  const ours = marks.length > 0 ? [...marks, ...statements.filter(isOurTable)] : []
  const rest = edited(whole, [
    ...ours.map(({ kind, start, end }) => ({
      start: kind === 'comment' ? beforeBlankLine(whole, start) : start,
      end,
      text: '',
    })),
    ...restored(whole, statements, ours.length > 0),
  ])
  if (rest === '' && mark === '' && notes.has(NEW_FILE)) return undefined
  // Whatever has come behind our table since needs the line break before it.
  const isLast = ours.some(({ end }) => end === whole.length)
  return mark + (isLast && notes.has(NO_LAST_NEWLINE) ? rest.replace(/\r?\n$/, '') : rest)
}

/** The blank line that sets our table off. */
function beforeBlankLine(text: string, start: number): number {
  const [blank = ''] = /(?<=\n)\r?\n$/.exec(text.slice(0, start)) ?? []
  return start - blank.length
}

/** What was set aside, where its replacement goes; a choice that a person has made since stays, with what came before it. */
function restored(text: string, statements: readonly Statement[], tableGoes: boolean): Edit[] {
  const kept = statements.filter((it) => isComment(text, it, KEPT))
  const choice = statements.find(isChoice)
  const isOurs = choice !== undefined && lineOf(text, choice) === CHOICE
  const ofChoice = choice === undefined ? [] : directlyBefore(kept, choice.start)
  const lines = kept.filter((it) => (ofChoice.includes(it) ? isOurs : tableGoes))
  return [
    ...lines.map((it) => ({ ...it, text: text.slice(it.start + KEPT.length, it.end) })),
    ...(isOurs ? [{ ...choice, text: '' }] : []),
  ]
}

function directlyBefore(comments: readonly Statement[], start: number): Statement[] {
  const last = comments.findLast(({ end }) => end === start)
  return last === undefined ? [] : [...directlyBefore(comments, last.start), last]
}

function isComment(text: string, { kind, start }: Statement, beginning: string): boolean {
  return kind === 'comment' && text.startsWith(beginning, start)
}

function lineOf(text: string, { start, end }: Statement): string {
  return text.slice(start, end).trimEnd()
}

function edited(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits.toSorted((one, other) => one.start - other.start || one.end - other.end)) {
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}
