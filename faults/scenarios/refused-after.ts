import type { Ended } from '../program.ts'
import { reads, refuseAll, writes, type Refusals } from '../refused-steps.ts'
import { adopted, isThere, saysWhere } from '../rescue-verdict.ts'
import { skipped, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { answerIn, stepsOfToken } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, printsToken } from '../verdict.ts'

export const refusedAfter: Scenario = {
  name: 'refused-after',
  rule:
    'The system refuses one call of a refresh on its files, each in turn, after the provider has answered. The answer ' +
    'is not lost, whatever it is, and the provider is not asked again.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? refuseEach(stage) : skipped('refusals at every step after the answer', why)
  },
}

async function refuseEach(stage: Stage): Promise<Findings> {
  const steps = await inTrial(stage, stepsOfToken)
  const after = steps.slice(answerIn(steps) + 1)
  const done = after.findIndex(({ name }) => name.includes('.default.generation.'))
  return refuseAll(stage, [
    ...whileSaving(after.slice(0, done)),
    whenSaved(after.slice(done)),
    whileReading(after),
  ])
}

function whileSaving(saving: readonly Step[]): Refusals[] {
  const writing = saving.filter(
    (step) => writes(step) || /^(?:open\w*|fsync|close) profiles$/.test(step.name),
  )
  return [
    {
      fault: 'EIO at every writing step of the save, in `token`',
      steps: writing,
      errors: ['EIO'],
      notes: 'kept at a second place, handed out with a warning; the next call brings it back',
      judge: (trial, refused) => [...printsToken(refused, trial.issuer), ...kept(trial, refused)],
      judgeNext: adopted,
      fewer: 2,
    },
    {
      fault: 'ENOSPC at every writing step of the save, in `refresh`',
      words: ['refresh'],
      steps: writing,
      errors: ['ENOSPC'],
      notes: 'exit 7, kept at a second place; the next call brings it back',
      judge: (trial, refused) => [...endsWith(refused, 7), ...kept(trial, refused)],
      judgeNext: adopted,
      fewer: 2,
    },
    {
      fault: 'pwrite that claims to have written, and has not',
      steps: saving.filter(({ name }) => /^pwrite.*default\.cred/.test(name)),
      errors: ['a lie'],
      instead: ({ line }) => `retval=${/= (\d+)$/.exec(line)?.[1]}`,
      notes: 'noticed when it is read back',
      judge: () => [],
      judgeNext: adopted,
      fewer: 1,
    },
  ]
}

function kept(trial: Trial, refused: Ended): string[] {
  return [...saysWhere(refused), ...isThere(trial)]
}

function whenSaved(after: readonly Step[]): Refusals {
  return {
    fault: 'EIO, ENOSPC at every writing step after it',
    steps: after.filter((step) => writes(step) || /^(?:unlink|rmdir)/.test(step.name)),
    errors: ['EIO', 'ENOSPC'],
    notes: 'the answer is safe by then: exit 0',
    judge: (trial, refused) => printsToken(refused, trial.issuer),
    judgeNext: adopted,
    fewer: 1,
  }
}

function whileReading(after: readonly Step[]): Refusals {
  return {
    fault: 'EIO at every reading step after the answer',
    steps: after.filter(reads),
    errors: ['EIO'],
    notes: 'whatever comes of it, the answer is not lost',
    judge: () => [],
    judgeNext: adopted,
    fewer: 2,
  }
}
