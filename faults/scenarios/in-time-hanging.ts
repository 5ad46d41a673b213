import { hold } from '../../test/support/fake-issuer.ts'
import type { Ended, Running } from '../program.ts'
import type { Scenario } from '../scenario.ts'
import { Tally, type Outcome } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, outcomeOf, printsToken, unless } from '../verdict.ts'

const SHORT = ['token', '--timeout', '1s']

/** What becomes of the caller while the provider says nothing. */
const CALLERS: readonly {
  readonly name: string
  end(running: Running): void
  judge(ended: Ended): string[]
}[] = [
  { name: 'runs out of time', end: () => {}, judge: (ended) => endsWith(ended, 5) },
  { name: 'is killed', end: (running) => running.signal('SIGKILL'), judge: () => [] },
  { name: 'is interrupted', end: (running) => running.signal('SIGINT'), judge: () => [] },
]

export const inTimeHanging: Scenario = {
  name: 'in-time-hanging',
  rule:
    'The provider says nothing for longer than `token --timeout` has. The caller runs out of time, or is killed, and so does ' +
    'a second one; the refresh is sent once, goes on, and its answer is what the next call gets.',
  run: async (stage) => {
    const tally = new Tally('provider silent for longer than `token --timeout` has')
    const outcomes = await Promise.all(
      CALLERS.map((caller) => inTrial(stage, (trial) => keptWaiting(trial, caller))),
    )
    for (const outcome of outcomes) tally.add(outcome)
    return {
      rows: [tally.row(`the caller ${CALLERS.map(({ name }) => name).join(', ')}; sent once, and kept`)],
      broken: tally.broken(),
    }
  },
}

async function keptWaiting(trial: Trial, { name, end, judge }: (typeof CALLERS)[number]): Promise<Outcome> {
  const { issuer } = trial
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const running = trial.start(SHORT)
  await held.arrived
  end(running)
  const first = await running.ended
  const second = await trial.run(SHORT)
  held.release()
  const next = await trial.run(['token'])
  const broken = [
    ...judge(first),
    ...endsWith(second, 5, 'the second caller'),
    ...printsToken(next, issuer, 'the next call'),
    ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
  ]
  return outcomeOf(
    trial,
    [second, next],
    broken.map((what) => `the caller ${name}: ${what}`),
  )
}
