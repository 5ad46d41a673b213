import { API_KEY, keysMade, printsKey, stepsOfKey, storedKey, type KeySteps } from '../api-key.ts'
import type { Ended } from '../program.ts'
import { reads, refuseAll, writes, type Refusals } from '../refused-steps.ts'
import { isThere, saysWhere } from '../rescue-verdict.ts'
import { skipped, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace } from '../strace.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, unless } from '../verdict.ts'

export const keyRefused: Scenario = {
  name: 'key-refused',
  rule:
    'The system refuses one call of `token --kind api-key` on its files, each in turn, once its refresh is done. Where a key ' +
    'could not be kept, the provider is not asked for one (7). A key that has come is kept, or it is said that it is lost.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? refuseEach(stage) : skipped('refusals while an API key is asked for', why)
  },
}

async function refuseEach(stage: Stage): Promise<Findings> {
  const found = await inTrial(stage, stepsOfKey)
  return refuseAll(stage, [beforeAsking(found), ...onceItHasCome(found)])
}

const CALLS = { words: API_KEY, nextWords: API_KEY }

function beforeAsking({ steps, released, sending }: KeySteps): Refusals {
  return {
    ...CALLS,
    fault: 'ENOSPC at every writing step before an API key is asked for',
    steps: steps.slice(released, sending).filter(writes),
    errors: ['ENOSPC'],
    notes: 'exit 7, no key asked for; the next call works',
    judge: (trial, refused) => [...endsWith(refused, 7), ...keysMade(trial, [0])],
    judgeNext: hasTheOne,
    fewer: 2,
  }
}

function onceItHasCome({ steps, answer }: KeySteps): Refusals[] {
  const after = steps.slice(answer + 1)
  const done = after.findIndex(({ name }) => name.includes('.default.generation.'))
  const saving = after.slice(0, done)
  return [
    {
      ...CALLS,
      fault: 'EIO at every writing step of the saving of an API key',
      steps: saving.filter((step) => writes(step) || /^(?:open\w*|fsync|close) profiles$/.test(step.name)),
      errors: ['EIO'],
      notes: 'exit 7, kept at a second place; the next call brings it back',
      judge: (trial, refused) => [...endsWith(refused, 7), ...saysWhere(refused), ...isThere(trial)],
      judgeNext: hasTheOne,
      fewer: 2,
    },
    {
      ...CALLS,
      fault: 'EIO at every writing step after it',
      steps: after.slice(done).filter((step) => writes(step) || /^(?:unlink|rmdir)/.test(step.name)),
      errors: ['EIO'],
      notes: 'the key is safe by then: exit 0',
      judge: (trial, refused) => printsKey(trial, refused),
      judgeNext: hasTheOne,
      fewer: 1,
    },
    {
      ...CALLS,
      fault: 'EIO at every reading step after an API key has come',
      steps: after.filter(reads),
      errors: ['EIO'],
      notes: 'kept; or it is said that it is lost, and the next call asks for one more',
      judge: keptOrLost,
      judgeNext: (trial, next) => [...printsKey(trial, next, 'the next call'), ...keysMade(trial, [1, 2])],
      fewer: 3,
    },
  ]
}

function hasTheOne(trial: Trial, next: Ended): string[] {
  return [...printsKey(trial, next, 'the next call'), ...keysMade(trial, [1])]
}

/** The provider takes no key back, so a person has to know of each that nobody has. */
function keptOrLost(trial: Trial, refused: Ended): string[] {
  const isKept = storedKey(trial) !== undefined || isThere(trial).length === 0
  const isSaid = /API key is lost/.test(refused.stderr)
  return unless(isKept || isSaid, `the key is lost, and it is not said (${refused.exitCode})`)
}
