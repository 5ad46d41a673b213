import { eachOf } from '../each-of.ts'
import { begin, finish, ownersOf, renewBy, wordsFor, type Direction, type Owner } from '../handover.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { Tally, type Outcome } from '../tally.ts'
import { interfered, stepsOf, turningPoints } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { unless } from '../verdict.ts'

export const handoverKilled: Scenario = {
  name: 'handover-killed',
  rule:
    '`import codex` and `export codex` are killed right before each of their steps that leaves something else than the one ' +
    'before. There is at least one owner then, and where there are two, one or the other renews the login. The same ' +
    'command again leaves exactly one, and no refresh token is spent twice.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined
      ? together([await killAll(stage, 'import'), await killAll(stage, 'export')])
      : skipped('SIGKILL at every step of `import codex` and `export codex`', why)
  },
}

async function killAll(stage: Stage, direction: Direction): Promise<Findings> {
  const all = await handedOver(stage, direction, (trial) => stepsOf(wordsFor(direction), trial))
  const states = turningPoints(all)
  const steps = stage.short ? stage.random.sample(states, 3) : states
  const tally = new Tally(`SIGKILL at every step of \`${wordsFor(direction).join(' ')}\``)
  // An owner that is alone renews the login every other time.
  const found = await eachOf(
    steps,
    stage.wide,
    (step, at) =>
      killedThere(stage, direction, step, ([first, second]) => (at % 2 === 0 || second ? undefined : first)),
    stage.progress,
  )
  const inBoth = steps.filter((_, at) => found[at]?.owners.length === 2)
  const renewals = inBoth.map((step, at) => ({
    step,
    owner: at % 2 === 0 ? ('profile' as const) : ('Codex' as const),
  }))
  const more = await eachOf(renewals, stage.wide, ({ step, owner }) =>
    killedThere(stage, direction, step, () => owner),
  )
  for (const { outcome } of [...found, ...more]) tally.add(outcome)
  const notes = `${states.length} states, in ${inBoth.length} of them with two owners; the same again leaves one`
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

function handedOver<T>(stage: Stage, direction: Direction, work: (trial: Trial) => Promise<T>): Promise<T> {
  return inTrial(stage, async (trial) => {
    begin(direction, trial)
    return work(trial)
  })
}

function killedThere(
  stage: Stage,
  direction: Direction,
  step: Step,
  renewer: (owners: readonly Owner[]) => Owner | undefined,
): Promise<{ readonly owners: readonly Owner[]; readonly outcome: Outcome }> {
  return interfered(
    step,
    'signal=SIGKILL',
    (work) => handedOver(stage, direction, work),
    async (trial, killed) => {
      const owners = ownersOf(trial)
      const owner = renewer(owners)
      const renewed = owner === undefined ? [] : await renewBy(owner, trial)
      const outcome = await finish(direction, trial)
      const broken = [
        ...unless(killed.exitCode === null, 'it was not killed'),
        ...unless(owners.length > 0, 'nobody has the login'),
        ...renewed,
        ...(outcome.broken ?? []),
      ]
      const then = owner === undefined ? '' : `, then renewed by ${owner}`
      const where = `before ${step.name} (call ${step.nth} of ${step.syscall})${then}`
      return { owners, outcome: { ...outcome, broken: broken.map((what) => `${where}: ${what}`) } }
    },
    wordsFor(direction),
  )
}
