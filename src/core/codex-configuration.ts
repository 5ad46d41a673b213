import { OWN_KEYS, PROVIDER_ID } from './codex-provider.ts'
import { asComments, edited, isComment, lineBreakOf, lineOf, splitMark, type Edit } from './toml-edit.ts'
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
const CHOSEN_BEFORE = '# codex-auth setup codex, before: '
const KEPT = '# codex-auth setup codex keeps: '

const HEADER = `[model_providers.${PROVIDER_ID}]`
const OUR_TABLE = ['model_providers', PROVIDER_ID]

/** The lines that make Codex use our provider, as a person would put them into the file. */
export function renderProvider(provider: TomlTable): string {
  return [`model_provider = "${PROVIDER_ID}"`, '', HEADER, ...tableLines(provider), ''].join('\n')
}

/**
 * The configuration with our provider in it, and chosen. What stood there in its place stays as comments, and every other
 * byte as it was; {@link withoutProvider} gives back what there was before.
 * @param text valid TOML that holds nothing of ours; `undefined`: there is no file.
 */
export function withProvider(text: string | undefined, provider: TomlTable): string {
  const [mark, before] = splitMark(text ?? '')
  const lineBreak = lineBreakOf(before)
  const isOpen = before !== '' && !before.endsWith('\n')
  const whole = isOpen ? before + lineBreak : before
  const statements = scanToml(whole)
  const aside = statements.filter(isOurTable).map((it) => asComments(whole, it, KEPT))
  const note = text === undefined ? NEW_FILE : isOpen ? NO_LAST_NEWLINE : ''
  const added = ['', TABLE_MARK + note, HEADER, ...tableLines(provider), ''].join(lineBreak)
  return mark + edited(whole, [...choiceEdits(whole, statements), ...aside]) + added
}

/**
 * The configuration with the lines of ours as they are to be now, and what a person has put among them as it is.
 * `undefined`: our table is not there as we write it.
 * @param text valid TOML.
 */
export function withProviderRenewed(text: string, provider: TomlTable): string | undefined {
  const [mark, whole] = splitMark(text)
  const statements = scanToml(whole)
  const header = statements.find((it, at) => isOurHeader(whole, it, statements[at - 1]))
  const inside = statements.filter((it) => isOurTable(it) && it !== header)
  if (header === undefined || inside.some((it) => it.kind !== 'pair' && isOwn(it))) return undefined
  const own = Object.fromEntries(Object.entries(provider).filter(([key]) => OWN_KEYS.has(key)))
  const lines = tableLines(own).map((line) => line + lineBreakOf(whole))
  const stale = inside.filter((it) => isOwn(it) || !Object.hasOwn(provider, it.path[2] ?? ''))
  return (
    mark +
    edited(whole, [
      ...choiceEdits(whole, statements),
      { start: header.end, end: header.end, text: lines.join('') },
      ...stale.map(removal),
    ])
  )
}

/** With the mark directly above it, and a line below. */
function isOurHeader(text: string, it: Statement, above: Statement | undefined): boolean {
  const isHeader = it.kind === 'table' && it.path.length === OUR_TABLE.length && isOurTable(it)
  return isHeader && above !== undefined && isComment(text, above, TABLE_MARK) && text[it.end - 1] === '\n'
}

function isOwn({ path }: Statement): boolean {
  return OWN_KEYS.has(path[2] ?? '')
}

function removal({ start, end }: Statement): Edit {
  return { start, end, text: '' }
}

/** Our choice, in the place of the one before it. */
function choiceEdits(text: string, statements: readonly Statement[]): Edit[] {
  const choice = statements.find(isChoice)
  if (choice !== undefined && lineOf(text, choice) === CHOICE) return []
  const stale = statements.filter((it) => isComment(text, it, CHOSEN_BEFORE)).map(removal)
  const at = choice?.end ?? placeForChoice(statements, text.length)
  const before = choice === undefined ? [] : [asComments(text, choice, CHOSEN_BEFORE)]
  return [...stale, ...before, { start: at, end: at, text: CHOICE + lineBreakOf(text) }]
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

function tableLines(provider: TomlTable): string[] {
  const pairs = Object.entries(provider).flatMap(([name, value]): [string, TomlTable[string]][] =>
    // One line each for what people read and change most.
    name === 'auth' && isTable(value)
      ? Object.entries(value).map(([inner, it]) => [`auth.${renderKey(inner)}`, it])
      : [[renderKey(name), value]],
  )
  return pairs.map(([key, value]) => `${key} = ${renderValue(value)}`)
}

/**
 * The configuration as it was before {@link withProvider}, with whatever has changed since in the rest of it. `undefined`: the
 * file would be empty, and was made by us. The same text: nothing in it is ours.
 * @param text valid TOML.
 */
export function withoutProvider(text: string): string | undefined {
  const [mark, whole] = splitMark(text)
  const statements = scanToml(whole)
  const marks = statements.filter((it) => isComment(whole, it, TABLE_MARK))
  const notes = new Set(marks.map((it) => lineOf(whole, it).slice(TABLE_MARK.length)))
  const ours = marks.length > 0 ? [...marks, ...statements.filter(isOurTable)] : []
  const removals = ours.map((it) => ({
    ...removal(it),
    start: it.kind === 'comment' ? beforeBlankLine(whole, it.start) : it.start,
  }))
  const rest = edited(whole, [...removals, ...restored(whole, statements, ours.length > 0)])
  if (rest === '' && mark === '' && notes.has(NEW_FILE)) return undefined
  const isOpen = notes.has(NO_LAST_NEWLINE) && isAllBehind(removals, whole.length)
  return mark + (isOpen ? rest.replace(/\r?\n$/, '') : rest)
}

/** Nothing has come behind or between our lines since that needs the line break before them. */
function isAllBehind(removals: readonly Edit[], length: number): boolean {
  const start = Math.min(...removals.map((it) => it.start))
  return removals.reduce((sum, it) => sum + it.end - it.start, 0) === length - start
}

/** The blank line that sets our table off. */
function beforeBlankLine(text: string, start: number): number {
  const [blank = ''] = /(?<=\n)\r?\n$/.exec(text.slice(0, start)) ?? []
  return start - blank.length
}

/** What was set aside, where its replacement goes. A choice that a person has made since stays, and none is put back. */
function restored(text: string, statements: readonly Statement[], tableGoes: boolean): Edit[] {
  const choice = statements.find((it) => isChoice(it) && lineOf(text, it) === CHOICE)
  const before = statements.filter((it) => isComment(text, it, CHOSEN_BEFORE))
  const kept = statements.filter((it) => tableGoes && isComment(text, it, KEPT))
  return [
    ...(choice === undefined
      ? before.map(removal)
      : [removal(choice), ...before.map((it) => uncommented(text, it, CHOSEN_BEFORE))]),
    ...kept.map((it) => uncommented(text, it, KEPT)),
  ]
}

function uncommented(text: string, { start, end }: Statement, beginning: string): Edit {
  return { start, end, text: text.slice(start + beginning.length, end) }
}
