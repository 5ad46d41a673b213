import type { Row } from './scenario.ts'

/** What the table's parentheses mean. */
export const LEGEND =
  'In parentheses: what no client can avoid, because nobody has the answer any more, or somebody removed a lock by hand. ' +
  'A login that changes hands is lost when neither side has a refresh token that works. A key that is lost on its way costs ' +
  'one more request for a key, and no login.'

const COLUMNS = [
  'fault',
  'tried',
  'refreshes sent',
  'tokens spent twice',
  'logins lost',
  'files damaged',
  'hangs over 5 s',
  'notes',
]

/** A table in Markdown, its columns aligned, so that it reads as well on a terminal. */
export function tableOf(rows: readonly Row[]): string {
  return markdown(COLUMNS, rows.map(cellsOf))
}

function cellsOf(row: Row): string[] {
  const { fault, tried, refreshes, spentTwice, lost, damaged, hangs, notes } = row
  if (row.skipped !== undefined) return [fault, 'not tried', '–', '–', '–', '–', '–', row.skipped]
  const sad = [spentTwice, lost].map((count) => (row.inevitable && count > 0 ? `(${count})` : `${count}`))
  return [fault, `${tried}`, `${refreshes}`, ...sad, `${damaged}`, `${hangs}`, notes]
}

/** Numbers stand to the right. */
export function markdown(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const cells = [columns, ...lines].map((line) => line.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = columns.map((_column, at) => Math.max(3, ...cells.map((line) => (line[at] ?? '').length)))
  const numeric = columns.map(
    (_column, at) =>
      lines.length > 0 && lines.every((line) => /^\(?[\d.–]*\)?$|^not tried$/.test(line[at] ?? '')),
  )
  const row = (line: readonly string[]): string =>
    `| ${widths.map((width, at) => (numeric[at] ? (line[at] ?? '').padStart(width) : (line[at] ?? '').padEnd(width))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => (numeric[at] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  const [head = [], ...body] = cells
  return [row(head), rule, ...body.map(row), ''].join('\n')
}
