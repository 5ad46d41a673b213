import { ROLES, type Role } from './contenders.ts'
import type { Usage } from './measure.ts'

/** One run of each program, one right after the other. */
export type Round = Readonly<Record<Role, Usage>>

/** How much of the floor's CPU time, and of its peak memory, `codex-auth token` may take. */
export const BUDGET = 1.15

const MEASURES = ['cpu', 'peak'] as const
type Measure = (typeof MEASURES)[number]

const NAMES: Record<Role, string> = { token: 'codex-auth token', floor: 'the floor', empty: 'an empty file' }

export function exceedsBudget(rounds: readonly Round[]): boolean {
  return MEASURES.some((measure) => median(ratios(rounds, 'token', measure)) > BUDGET)
}

/** Medians of all rounds. A ratio is taken within each round, and stands with its least and its greatest value. */
export function tableOf(version: string, rounds: readonly Round[]): string {
  const verdict = exceedsBudget(rounds) ? 'exceeded' : 'kept'
  const pairs = rounds.length === 1 ? '1 pair' : `median of ${rounds.length} pairs`
  return [
    `Node.js ${version}, ${pairs}`,
    row('', ['CPU ms', '× floor'], ['peak MiB', '× floor']),
    ...ROLES.map((role) => row(NAMES[role], cells(rounds, role, 'cpu'), cells(rounds, role, 'peak'))),
    `  budget ${BUDGET.toFixed(2)} × floor: ${verdict}`,
    '',
  ].join('\n')
}

type Cells = readonly [absolute: string, ratio: string]

function row(name: string, ...measures: readonly Cells[]): string {
  const cellTexts = measures.map(([absolute, ratio]) => `${absolute.padStart(9)}  ${ratio.padEnd(17)}`)
  return `  ${name.padEnd(17)}${cellTexts.join(' ')}`.trimEnd()
}

function cells(rounds: readonly Round[], role: Role, measure: Measure): Cells {
  const absolute = median(rounds.map((round) => round[role][measure])).toFixed(1)
  const found = ratios(rounds, role, measure)
  const [middle, least, most] = [median(found), Math.min(...found), Math.max(...found)].map((ratio) =>
    ratio.toFixed(2),
  )
  return [absolute, role === 'floor' ? '1' : `${middle} (${least}–${most})`]
}

function ratios(rounds: readonly Round[], role: Role, measure: Measure): number[] {
  return rounds.map((round) => round[role][measure] / round.floor[measure])
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (low + high) / 2
}
