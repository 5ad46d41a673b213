import type { Ended } from '../program.ts'
import { reads, refuseAll, writes } from '../refused-steps.ts'
import { skipped, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace } from '../strace.ts'
import { sendingIn, stepsOfToken } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, printsToken, unless } from '../verdict.ts'

export const refusedBefore: Scenario = {
  name: 'refused-before',
  rule:
    'The system refuses one call of a refresh on its files, each in turn, before anything is sent. Where that means ' +
    'that an answer could not be kept, the provider is not asked (7); and the next call works.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? refuseEach(stage) : skipped('refusals at every step before sending', why)
  },
}

async function refuseEach(stage: Stage): Promise<Findings> {
  const steps = await inTrial(stage, stepsOfToken)
  const before = steps.slice(0, sendingIn(steps))
  return refuseAll(stage, [
    {
      fault: 'ENOSPC, EDQUOT, EIO, EROFS at every writing step before sending',
      steps: before.filter(writes),
      errors: ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'],
      notes: 'exit 7, provider not asked; the next call works',
      judge: notAsked,
      judgeNext: works,
      fewer: 4,
    },
    {
      fault: 'EIO at every reading step before sending',
      steps: before.filter(reads),
      errors: ['EIO'],
      notes: 'whatever comes of it, one refresh at most, and the next call works',
      judge: () => [],
      judgeNext: works,
      fewer: 2,
    },
  ])
}

function notAsked({ issuer }: Trial, refused: Ended): string[] {
  return [...endsWith(refused, 7), ...unless(issuer.requests.length === 0, 'the provider was asked')]
}

function works({ issuer }: Trial, next: Ended): string[] {
  return [
    ...printsToken(next, issuer, 'the next call'),
    ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
  ]
}
