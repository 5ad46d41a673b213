import { parseArgs } from 'node:util'

export interface Options {
  readonly only: readonly string[]
  readonly seed: number
  readonly short: boolean
  readonly help: boolean
}

export const USAGE = `Usage: npm run faults -- [--only NAME]… [--seed N] [--short]

Hurts the built program in every way we know, with real processes, and prints one table of what came of it.
The whole long form also writes it to docs/reliability.md.

  --only NAME   this scenario only (repeatable): NAMES
  --seed N      the same random choices again
  --short       fewer tries of everything: less than a minute

Ends with 1 when a rule did not hold.
`

/** `string`: what is wrong with the call. */
export function optionsOf(args: readonly string[], names: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        short: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const unknown = values.only.find((name) => !names.includes(name))
    if (unknown !== undefined) return `there is no scenario ${JSON.stringify(unknown)}`
    const seed = Number(values.seed)
    if (!Number.isSafeInteger(seed) || seed < 0) return '--seed takes a whole number from 0'
    return { ...values, seed }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return error.message
  }
}
