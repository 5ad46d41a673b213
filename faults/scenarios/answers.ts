import { AuthError } from '../../src/errors.ts'
import { ANSWER_CLASSES, type AnswerClass } from '../answer-classes.ts'
import { eachOf } from '../each-of.ts'
import { duration } from '../figures.ts'
import type { Ended } from '../program.ts'
import { together, type Detail, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally, type Outcome } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, outcomeOf, printsToken, unless } from '../verdict.ts'

const FAULTS: Readonly<Record<AnswerClass['meaning'], string>> = {
  passes: 'answers that are none',
  saved: 'answers with tokens, and something odd about them',
  refused: 'definite refusals',
}
const NOTES: Readonly<Record<AnswerClass['meaning'], string>> = {
  passes: 'exit 5, the file is the same to the byte; the next call works',
  saved: 'exit 0, saved',
  refused: 'exit 4, remembered; the next call does not ask again',
}
const EXIT_CODES: Readonly<Record<AnswerClass['meaning'], number>> = { passes: 5, saved: 0, refused: 4 }

export const answersOfEveryKind: Scenario = {
  name: 'answers',
  rule:
    'The token endpoint answers in every way we have heard of. Only a definite refusal ends a login; what is no answer ' +
    'leaves the file as it is, to the byte; tokens are saved, whatever else is odd. A request is sent once, unless the ' +
    'provider has put it off (429, 503).',
  run: async (stage) => {
    const classes = stage.short
      ? stage.random.sample(
          ANSWER_CLASSES.filter(({ slow }) => slow !== true),
          24,
        )
      : ANSWER_CLASSES
    // Those that are put off wait more than they work.
    const [waiting, working] = [classes.filter(({ wait }) => wait), classes.filter(({ wait }) => !wait)]
    const [waited, tried] = await Promise.all([
      eachOf(waiting, 6, (one) => tryClass(stage, one)),
      eachOf(working, stage.width, (one) => tryClass(stage, one), stage.progress),
    ])
    return together([
      ...inRows([...tried, ...waited]),
      { rows: [], details: [detail([...tried, ...waited])], broken: [] },
    ])
  },
}

interface Tried {
  readonly one: AnswerClass
  readonly ended: Ended
  readonly requests: number
  readonly outcome: Outcome
}

async function tryClass(stage: Stage, one: AnswerClass): Promise<Tried> {
  const { mischief, wait = 0, meaning } = one
  return inTrial(
    stage,
    async (trial) => {
      trial.issuer.nextAnswers.push(...(one.answers ?? []))
      const before = trial.bytes()
      const ended = await trial.run(['token'], { wait })
      const requests = trial.asked()
      const unchanged = before !== undefined && trial.bytes()?.equals(before) === true
      trial.issuer.nextAnswers.length = 0
      const next = await trial.run(['token'])
      const broken = [
        ...endsWith(ended, EXIT_CODES[meaning]),
        ...rightNumber(requests, one),
        ...unless(unchanged === (meaning === 'passes'), `the file ${unchanged ? 'is the same' : 'changed'}`),
        ...judgeNext(trial, one, next, requests),
      ]
      const { lost = 0, ...outcome } = outcomeOf(trial, [ended, next], broken)
      return {
        one,
        ended,
        requests,
        // A refusal is the provider's to give: the login is not lost by us.
        outcome: {
          ...outcome,
          lost: meaning === 'refused' ? 0 : lost,
          broken: outcome.broken.map((what) => `${one.name}: ${what}`),
        },
      }
    },
    mischief === undefined ? {} : { mischief },
  )
}

function rightNumber(requests: number, { requests: [least, most] = [1, 1] }: AnswerClass): string[] {
  return unless(
    requests >= least && requests <= most,
    `${requests} requests, not ${least === most ? least : `${least} to ${most}`}`,
  )
}

function judgeNext(
  trial: Trial,
  { meaning, nextMayRefresh }: AnswerClass,
  next: Ended,
  requests: number,
): string[] {
  const more = trial.asked() - requests
  if (meaning !== 'refused') {
    const expected = meaning === 'passes' ? 1 : 0
    return [
      ...printsToken(next, trial.issuer, 'the next call'),
      ...unless(
        more === expected || (nextMayRefresh === true && more === 1),
        `the next call made ${more} requests, not ${expected}`,
      ),
    ]
  }
  const stored = trial.read()
  const remembered =
    stored !== undefined && !(stored instanceof AuthError) && stored.credential.refusal !== undefined
  return [
    ...endsWith(next, 4, 'the next call'),
    ...unless(more === 0, 'the next call asked the provider again'),
    ...unless(remembered, 'the refusal is not remembered'),
  ]
}

function inRows(tried: readonly Tried[]): Findings[] {
  return (Object.keys(FAULTS) as AnswerClass['meaning'][]).map((meaning) => {
    const tally = new Tally(FAULTS[meaning])
    for (const { one, outcome } of tried) if (one.meaning === meaning) tally.add(outcome)
    return { rows: [tally.row(`${tally.tried} kinds: ${NOTES[meaning]}`)], broken: tally.broken() }
  })
}

function detail(tried: readonly Tried[]): Detail {
  return {
    title: 'Answers of every kind',
    columns: ['answer', 'exit', 'requests', 'took', 'file', 'next call'],
    lines: tried.map(({ one, ended, requests, outcome }) => [
      one.name,
      String(ended.exitCode),
      String(requests),
      duration(ended.elapsed),
      { passes: 'same', saved: 'new tokens', refused: 'refusal noted' }[one.meaning],
      outcome.broken?.length
        ? 'NOT AS IT SHOULD BE'
        : { passes: 'works', saved: 'works', refused: 'exit 4' }[one.meaning],
    ]),
  }
}
