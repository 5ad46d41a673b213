import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Stage } from '../../faults/scenario.ts'
import { SCENARIOS } from '../../faults/scenarios.ts'
import { openStage } from '../../faults/stage.ts'

/** Another one each time; what a rule that did not hold needs to be seen again is its name and this number. */
const seed = Date.now() % 1_000_000
let stage: Stage

beforeAll(() => {
  stage = openStage({ seed, short: true })
})

afterAll(() => stage.close())

test.for(SCENARIOS.map(({ name, rule, run }) => [name, rule, run] as const))(
  '%s: %s',
  async ([name, , run], { skip, annotate }) => {
    const { rows, broken } = await run({ ...stage, random: stage.random.branch(name) })
    const left = rows.filter((row) => row.skipped !== undefined)
    for (const { fault, skipped } of left) await annotate(`not tried: ${fault}: ${skipped}`)
    skip(left.length === rows.length, left[0]?.skipped)
    const tried = rows.reduce((sum, row) => sum + row.tried, 0)
    expect({ seed, broken, tried: tried > 0 }).toEqual({ seed, broken: [], tried: true })
  },
)
