import { answers } from '../../test/support/fake-issuer.ts'
import { passOnAndDrop, type Mischief } from '../front.ts'
import type { Detail, Findings, Scenario, Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial, type TrialOptions } from '../trial.ts'
import { endsWith, firstLine, outcomeOf, unless } from '../verdict.ts'

interface Drop {
  readonly name: string
  prepare(trial: Trial): void
  readonly mischief?: Mischief
}

const DROPS: readonly Drop[] = [
  {
    name: 'connection ends with nothing said',
    prepare: ({ issuer }) => void issuer.nextAnswers.push(answers.dropped),
  },
  {
    name: 'answer stops in the middle',
    prepare: ({ issuer }) => void issuer.nextAnswers.push(answers.cutOff),
  },
  {
    name: 'a gateway says 502 instead',
    prepare: ({ issuer }) => void issuer.nextAnswers.push({ ...answers.html(502), stage: 'processed' }),
  },
  { name: 'connection is reset on the way', prepare: () => {}, mischief: passOnAndDrop },
]

export const dropped: Scenario = {
  name: 'dropped',
  rule:
    'The provider has replaced the refresh token, and its answer is lost on the way. The call ends with 5 and sends ' +
    'nothing again. Whether the token was taken cannot be known without asking, so the next call asks, once, and is ' +
    'refused; the person is told to sign in, and nobody asks after that.',
  run: dropAll,
}

async function dropAll(stage: Stage): Promise<Findings> {
  const tally = new Tally('answer lost after the refresh token was replaced', { inevitable: true })
  const said: string[][] = []
  for (const { name, prepare, mischief } of DROPS) {
    const options: TrialOptions = mischief === undefined ? {} : { mischief }
    await inTrial(
      stage,
      async (trial) => {
        prepare(trial)
        const first = await trial.run(['token'])
        const second = await trial.run(['token'])
        const third = await trial.run(['token'])
        tally.add(
          outcomeOf(
            trial,
            [first, second, third],
            [
              ...endsWith(first, 5, 'the first call'),
              ...endsWith(second, 4, 'the next call'),
              ...endsWith(third, 4, 'the call after it'),
              ...unless(/codex-auth login/.test(second.stderr), 'the next call does not say what to do'),
              ...unless(trial.issuer.refreshes === 2, `${trial.issuer.refreshes} refreshes, not 2`),
            ],
          ),
        )
        said.push([name, firstLine(first.stderr), firstLine(second.stderr)])
      },
      options,
    )
  }
  return {
    rows: [tally.row('5, then 4 with the way out; never asked again')],
    details: [detail(said)],
    broken: tally.broken(),
  }
}

function detail(said: readonly string[][]): Detail {
  return {
    title: 'What is said when an answer is lost on the way',
    columns: ['how', 'first call', 'next call'],
    lines: said.map((line) => line.map(withoutChance)),
  }
}

function withoutChance(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST').replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
}
