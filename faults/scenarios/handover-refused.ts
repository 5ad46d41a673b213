import { eachOf } from '../each-of.ts'
import { begin, finish, ownersOf, wordsFor, type Direction } from '../handover.ts'
import { writes } from '../refused-steps.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { Tally, type Outcome } from '../tally.ts'
import { interfered, stepsOf } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, firstLine, unless } from '../verdict.ts'

const ERRORS = ['ENOSPC', 'EIO'] as const

export const handoverRefused: Scenario = {
  name: 'handover-refused',
  rule:
    'The system refuses one writing step of `import codex` and `export codex`, each in turn. It ends with 7, or had done ' +
    'everything by then (0); there is at least one owner, and the same command again leaves exactly one.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined
      ? together([await refuseAll(stage, 'import'), await refuseAll(stage, 'export')])
      : skipped('refusals at every writing step of `import codex` and `export codex`', why)
  },
}

async function refuseAll(stage: Stage, direction: Direction): Promise<Findings> {
  const all = await handedOver(stage, direction, (trial) => stepsOf(wordsFor(direction), trial))
  const writing = all.filter(
    (step) => writes(step) || /^unlink|^(?:open\w*|fsync) (?:profiles|codex)$/.test(step.name),
  )
  const steps = stage.short ? stage.random.sample(writing, 2) : writing
  const tally = new Tally(`ENOSPC or EIO at every writing step of \`${wordsFor(direction).join(' ')}\``)
  const outcomes = await eachOf(
    steps,
    stage.wide,
    (step, at) => refusedThere(stage, direction, step, ERRORS[at % 2] ?? 'EIO'),
    stage.progress,
  )
  for (const outcome of outcomes) tally.add(outcome)
  return { rows: [tally.row('exit 7, or 0; the same again leaves one owner')], broken: tally.broken() }
}

function handedOver<T>(stage: Stage, direction: Direction, work: (trial: Trial) => Promise<T>): Promise<T> {
  return inTrial(stage, async (trial) => {
    begin(direction, trial)
    return work(trial)
  })
}

function refusedThere(stage: Stage, direction: Direction, step: Step, error: string): Promise<Outcome> {
  return interfered(
    step,
    `error=${error}`,
    (work) => handedOver(stage, direction, work),
    async (trial, refused) => {
      const owners = ownersOf(trial)
      const outcome = await finish(direction, trial)
      const broken = [
        ...complaints(refused, trial.issuer),
        ...unless(
          [0, 7].includes(refused.exitCode ?? -1),
          `it ended with ${refused.exitCode}: ${firstLine(refused.stderr)}`,
        ),
        ...unless(owners.length > 0, 'nobody has the login'),
        ...(outcome.broken ?? []),
      ]
      const where = `${error} at ${step.name} (call ${step.nth} of ${step.syscall})`
      return { ...outcome, broken: broken.map((what) => `${where}: ${what}`) }
    },
    wordsFor(direction),
  )
}
