import type { Context } from './context.ts'
import { tinted, type Tint } from './tint.ts'

/** How a meter is drawn. */
export interface MeterStyle {
  readonly hasColours: boolean
  /** Columns that there are, beside the label. */
  readonly width: number
  readonly filled: string
  readonly empty: string
}

/** Columns of a report's indented labels. */
export const LABEL = 15

/** Columns. A longer bar says nothing more. */
const LONGEST = 40

/** Columns of ` 100 % used`. */
const PERCENT = 11

/** Columns of `, resets in 23 h 59 min`. */
const RESET = 23

/** Columns. A shorter bar than this goes onto a line of its own. */
const SHORTEST = 8

/** Blocks on a terminal that has them, else signs that every one has. */
export function meterStyle(context: Context): MeterStyle {
  const { env, columns, stdoutIsTerminal, stdoutHasColours: hasColours } = context
  const width = (stdoutIsTerminal ? columns : 80) - LABEL - 1
  return stdoutIsTerminal && hasBlocks(env)
    ? { width, hasColours, filled: '█', empty: '░' }
    : { width, hasColours, filled: '#', empty: '-' }
}

/** A new Windows terminal has them whatever the variables say, which are not set there. */
function hasBlocks(env: Context['env']): boolean {
  if (env['TERM'] === 'dumb') return false
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale) || Boolean(env['WT_SESSION'])
}

/** A bar with its percentage and what else there is to say: one line where it fits, else two. */
export function meter(
  percent: number | undefined,
  note: string | undefined,
  { width, hasColours, filled, empty }: MeterStyle,
): string[] {
  if (percent === undefined) return [['use not told', note].filter(Boolean).join(', ')]
  const beside = width - PERCENT - RESET
  const isOneLine = beside >= SHORTEST
  const length = Math.min(LONGEST, Math.max(SHORTEST, isOneLine ? beside : width - PERCENT))
  const cells = cellsOf(percent, length)
  const used = tinted(tintOf(percent), filled.repeat(cells), hasColours)
  const bar = `${used}${empty.repeat(length - cells)}`
  const text = `${bar} ${String(whole(percent)).padStart(3)} % used`
  if (note === undefined) return [text]
  return isOneLine ? [`${text}, ${note}`] : [text, note]
}

/** From where on a person would look, and from where on they would wait. */
function tintOf(percent: number): Tint {
  if (percent >= 90) return 'bad'
  return percent >= 75 ? 'caution' : 'good'
}

/** Begun shows as begun, and what is not all never shows as all. */
function cellsOf(percent: number, length: number): number {
  if (percent >= 100) return length
  return Math.min(length - 1, Math.max(percent > 0 ? 1 : 0, Math.round((percent / 100) * length)))
}

function whole(percent: number): number {
  return percent < 100 ? Math.min(99, Math.round(percent)) : Math.round(percent)
}
