import { eachOf } from './each-of.ts'
import type { Ended } from './program.ts'
import { together, type Findings, type Stage } from './scenario.ts'
import type { Step } from './strace.ts'
import { Tally } from './tally.ts'
import { interfered } from './traced-refresh.ts'
import { inTrial, type Trial } from './trial.ts'
import { outcomeOf } from './verdict.ts'

/** Steps at which the system refuses what is asked, and what has to come of it. */
export interface Refusals {
  readonly fault: string
  readonly steps: readonly Step[]
  readonly errors: readonly string[]
  /** The call; `token` unless told. */
  readonly words?: readonly string[]
  /** The next one; `token` unless told. */
  readonly nextWords?: readonly string[]
  /** What is done instead of refusing the call with an error. */
  instead?(step: Step): string
  readonly notes: string
  /** Rules that the refused call broke, judged before the next one. */
  judge(trial: Trial, refused: Ended, step: Step): string[]
  /** Rules that the next call broke. */
  judgeNext(trial: Trial, next: Ended, step: Step): string[]
  /** How many of them the short form tries. */
  readonly fewer: number
}

/** Whether a step writes: what fails then is known to be a disk that is full, read-only or broken. */
export function writes({ name, line }: Step): boolean {
  // A folder that exists already is asked for all the same.
  if (/= -1 /.test(line)) return false
  return /^(?:mkdir|rename|write|pwrite|ftruncate|fsync|chmod|open\w* to)|^close .*\.tmp/.test(name)
}

/** Whether a step reads the store; the settings are another matter, and refused as a wrong call (2). */
export function reads({ name }: Step): boolean {
  if (name.endsWith('config.json')) return false
  return /^(?:p?read|getdents|statx|newfstatat|open\w* profiles)/.test(name)
}

/** Refuses each step with each of the errors, and calls the program once more. */
export async function refuseAll(stage: Stage, all: readonly Refusals[]): Promise<Findings> {
  const found: Findings[] = []
  for (const refusals of all) {
    const tally = new Tally(refusals.fault)
    const every = refusals.steps.flatMap((step) => refusals.errors.map((error) => ({ step, error })))
    const chosen = stage.short ? stage.random.sample(every, refusals.fewer) : every
    await eachOf(
      chosen,
      stage.wide,
      ({ step, error }) => refuse(stage, step, error, refusals, tally),
      stage.progress,
    )
    found.push({ rows: [tally.row(refusals.notes)], broken: tally.broken() })
  }
  return together(found)
}

async function refuse(
  stage: Stage,
  step: Step,
  error: string,
  refusals: Refusals,
  tally: Tally,
): Promise<void> {
  const outcome = await interfered(
    step,
    refusals.instead?.(step) ?? `error=${error}`,
    (work) => inTrial(stage, work),
    async (trial, refused) => {
      const broken = refusals.judge(trial, refused, step)
      const next = await trial.run(refusals.nextWords ?? ['token'])
      return outcomeOf(trial, [refused, next], [...broken, ...refusals.judgeNext(trial, next, step)])
    },
    refusals.words,
  )
  const where = `${error} at ${step.name} (call ${step.nth} of ${step.syscall})`
  tally.add({ ...outcome, broken: outcome.broken.map((what) => `${where}: ${what}`) })
}
