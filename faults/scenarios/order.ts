import { skipped, type Detail, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { Tally } from '../tally.ts'
import { stepsOfToken } from '../traced-refresh.ts'
import { inTrial } from '../trial.ts'
import { outcomeOf, unless } from '../verdict.ts'

/** What has to be done, in this order, for a power cut to lose nothing at any moment but the one between the two. */
const ORDER: readonly (readonly [meaning: string, step: RegExp])[] = [
  ['the lock is taken', /^rename\w* .* → profiles\/default\.lock$/],
  ['room for the answer is written', /^pwrite\w* profiles\/\.default\.cred\.\*\.tmp$/],
  ['and flushed', /^fsync profiles\/\.default\.cred\.\*\.tmp$/],
  ['who sends what is noted', /^pwrite\w* profiles\/default\.lock\/owner-\*$/],
  ['and flushed', /^fsync profiles\/default\.lock\/owner-\*$/],
  ['the refresh token is sent', /^(?:writev?|send\w*) connection$/],
  ['the answer is read', /^(?:read|recv)\w* connection$/],
  ['the answer is written', /^pwrite\w* profiles\/\.default\.cred\.\*\.tmp$/],
  ['and flushed', /^fsync profiles\/\.default\.cred\.\*\.tmp$/],
  ['it takes its place', /^rename\w* .* → profiles\/default\.cred$/],
  ['that is flushed', /^fsync profiles$/],
  ['it is read back', /^p?read\w* profiles\/default\.cred$/],
  ['the lock is released', /^rmdir profiles\/default\.lock$/],
]

export const order: Scenario = {
  name: 'order',
  rule:
    'A power cut cannot be tried. What it would leave follows from the order in which a refresh writes and flushes, ' +
    'which is read from its system calls.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? readOrder(stage) : skipped('order of writing and flushing', why)
  },
}

async function readOrder(stage: Stage): Promise<Findings> {
  const tally = new Tally('order of writing and flushing in a refresh')
  const detail = await inTrial(stage, async (trial) => {
    const found = find(await stepsOfToken(trial))
    const broken = found.flatMap(({ meaning, step }) =>
      unless(step !== undefined, `not in its place: ${meaning}`),
    )
    tally.add(outcomeOf(trial, [], broken))
    return found
  })
  return {
    rows: [tally.row(`${ORDER.length} steps, in this order`)],
    details: [detailOf(detail)],
    broken: tally.broken(),
  }
}

interface Found {
  readonly meaning: string
  readonly step: Step | undefined
}

/** Each step is looked for behind the one before. */
function find(steps: readonly Step[]): Found[] {
  let at = 0
  return ORDER.map(([meaning, pattern]) => {
    const next = steps.findIndex(({ name }, index) => index >= at && pattern.test(name))
    if (next >= 0) at = next + 1
    return { meaning, step: steps[next] }
  })
}

function detailOf(found: readonly Found[]): Detail {
  return {
    title: 'The order of a refresh',
    columns: ['what', 'system call'],
    lines: found.map(({ meaning, step }) => [meaning, step?.name ?? 'NOT IN ITS PLACE']),
  }
}
