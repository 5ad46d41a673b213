import { API_KEY, keysMade, printsKey, stepsOfKey, type KeySteps } from '../api-key.ts'
import { eachOf } from '../each-of.ts'
import { skipped, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { Tally, type Outcome } from '../tally.ts'
import { interfered, turningPoints } from '../traced-refresh.ts'
import { inTrial } from '../trial.ts'
import { outcomeOf, unless } from '../verdict.ts'

interface Kill {
  readonly step: Step
  /** How many keys the provider may have made in the end. */
  readonly keys: readonly number[]
}

export const keyKilled: Scenario = {
  name: 'key-killed',
  rule:
    'A `token --kind api-key` call is killed from the moment on at which its refresh is saved, right before each of its ' +
    'steps that leaves something else than the one before. The refreshed login stays, and the next call has a key: the same ' +
    'one where it was written by then, and one more request otherwise.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? killEverywhere(stage) : skipped('SIGKILL while an API key is asked for', why)
  },
}

const inWindow = ({ keys }: Kill): boolean => keys.length > 1

async function killEverywhere(stage: Stage): Promise<Findings> {
  const all = killsIn(await inTrial(stage, stepsOfKey))
  const kills = stage.short
    ? [...stage.random.sample(all.filter(inWindow), 1), ...stage.random.sample(all, 2)]
    : all
  const outcomes = await eachOf(kills, stage.wide, (kill) => killedThere(stage, kill), stage.progress)
  const rest = new Tally('SIGKILL at every step while an API key is asked for')
  const window = new Tally('SIGKILL at every step between the request for a key and its saving')
  for (const [at, kill] of kills.entries()) (inWindow(kill) ? window : rest).add(outcomes[at] ?? {})
  return {
    rows: [
      rest.row('the refresh before stays; one key in all'),
      window.row('the key that was on its way is lost; the next call asks for one more, and the login stays'),
    ],
    broken: [...rest.broken(), ...window.broken()],
  }
}

function killsIn({ steps, sending, written }: KeySteps): Kill[] {
  return turningPoints(steps).map((step) => {
    const at = steps.indexOf(step)
    return { step, keys: at > sending && at <= written ? [1, 2] : [1] }
  })
}

function killedThere(stage: Stage, { step, keys }: Kill): Promise<Outcome> {
  return interfered(
    step,
    'signal=SIGKILL',
    (work) => inTrial(stage, work),
    async (trial, killed) => {
      const next = await trial.run(API_KEY)
      const broken = [
        ...unless(killed.exitCode === null, 'it was not killed'),
        ...printsKey(trial, next, 'the next call'),
        ...keysMade(trial, keys),
        ...unless(trial.issuer.refreshes === 1, `${trial.issuer.refreshes} refreshes`),
      ].map((what) => `before ${step.name} (call ${step.nth} of ${step.syscall}): ${what}`)
      return outcomeOf(trial, [next], broken)
    },
    API_KEY,
  )
}
