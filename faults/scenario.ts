import type { Random } from './random.ts'
import type { Program } from './program.ts'

/** One line of the table: a fault, how often it was tried, and what it did. */
export interface Row {
  readonly fault: string
  readonly tried: number
  /** Refresh requests that reached the provider. */
  readonly refreshes: number
  readonly spentTwice: number
  readonly lost: number
  readonly damaged: number
  readonly hangs: number
  readonly notes: string
  /** `true`: no client can keep these logins. */
  readonly inevitable?: boolean
  /** Why it was not tried on this machine. `undefined`: it was. */
  readonly skipped?: string
}

/** A table for those who want to know exactly what was done. */
export interface Detail {
  readonly title: string
  readonly columns: readonly string[]
  readonly lines: readonly (readonly string[])[]
}

export interface Findings {
  readonly rows: readonly Row[]
  readonly details?: readonly Detail[]
  /** Every rule that did not hold, with what it takes to see it again. */
  readonly broken: readonly string[]
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string
  /** What is done, and what has to come of it. */
  readonly rule: string
  run(stage: Stage): Promise<Findings>
}

/** Where scenarios take place. */
export interface Stage {
  readonly program: Program
  readonly random: Random
  /** A folder for everything; it goes with the stage. */
  readonly root: string
  /** A minute for all scenarios together, and not several. */
  readonly short: boolean
  /** How many processes can work at once here. */
  readonly width: number
  /** The same for tries in which most of the time is spent waiting, and no time is judged. */
  readonly wide: number
  /** Says how far a scenario is, to whoever watches. */
  progress(done: number, of: number): void
  /** Ends whatever still runs, and removes what was made. Safe to repeat. */
  close(): void
  /** Called at the end, however that comes. Returns what takes it back. */
  atEnd(undo: () => void): () => void
}

/** A line for a fault that cannot be made here. */
export function skipped(fault: string, why: string): Findings {
  const nothing = { tried: 0, refreshes: 0, spentTwice: 0, lost: 0, damaged: 0, hangs: 0 }
  return { rows: [{ fault, ...nothing, notes: '', skipped: why }], broken: [] }
}

export function together(all: readonly Findings[]): Findings {
  return {
    rows: all.flatMap(({ rows }) => rows),
    details: all.flatMap(({ details = [] }) => details),
    broken: all.flatMap(({ broken }) => broken),
  }
}
