import type { Row } from './scenario.ts'

/** What one try came to. */
export interface Outcome {
  readonly refreshes?: number
  readonly spentTwice?: number
  readonly lost?: number
  readonly damaged?: number
  readonly hangs?: number
  /** Rules that did not hold, in words. */
  readonly broken?: readonly string[]
}

interface TallyOptions {
  /** `true`: no client can keep this login, so that losing it, and asking once more to find out, breaks no rule. */
  readonly inevitable?: boolean
}

/** Adds up the tries of one fault. */
export class Tally {
  readonly fault: string
  readonly #inevitable: boolean
  readonly #outcomes: Outcome[] = []

  constructor(fault: string, { inevitable = false }: TallyOptions = {}) {
    this.fault = fault
    this.#inevitable = inevitable
  }

  get tried(): number {
    return this.#outcomes.length
  }

  add(outcome: Outcome): void {
    this.#outcomes.push(outcome)
  }

  row(notes = ''): Row {
    const sum = (name: Exclude<keyof Outcome, 'broken'>): number =>
      this.#outcomes.reduce((total, outcome) => total + (outcome[name] ?? 0), 0)
    return {
      fault: this.fault,
      tried: this.tried,
      refreshes: sum('refreshes'),
      spentTwice: sum('spentTwice'),
      lost: sum('lost'),
      damaged: sum('damaged'),
      hangs: sum('hangs'),
      notes,
      inevitable: this.#inevitable,
    }
  }

  /** Every rule that did not hold. */
  broken(): string[] {
    const all = this.#outcomes.flatMap((outcome) => [
      ...(outcome.broken ?? []),
      ...this.#countedRules(outcome),
    ])
    return [...new Set(all)].map((what) => {
      const times = all.filter((other) => other === what).length
      return `${this.fault}: ${what}${times === 1 ? '' : ` (${times} times)`}`
    })
  }

  #countedRules({ spentTwice = 0, lost = 0, damaged = 0, hangs = 0 }: Outcome): string[] {
    const most = this.#inevitable ? 1 : 0
    return [
      ...(spentTwice > most ? [`a refresh token was sent ${spentTwice} times too often`] : []),
      ...(lost > most ? ['a login was lost'] : []),
      ...(damaged > 0 ? [`${damaged} file(s) damaged`] : []),
      ...(hangs > 0 ? [`${hangs} process(es) hung`] : []),
    ]
  }
}
