import { setTimeout } from 'node:timers/promises'
import { answers, hold, type ScriptedAnswer } from '../../test/support/fake-issuer.ts'
import { duration, median } from '../figures.ts'
import type { Ended } from '../program.ts'
import { together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, firstLine, keepsLogin, unless } from '../verdict.ts'

const WAITING = 5

interface Case {
  readonly fault: string
  /** What the provider does with the request of the process that is killed. */
  readonly answer: ScriptedAnswer
  readonly inevitable: boolean
  /** What the others end with. */
  readonly exitCode: 0 | 4
  readonly refreshes: number
}

const CASES: readonly Case[] = [
  {
    fault: `SIGKILL of a process that has sent in vain, while ${WAITING} others wait for it`,
    answer: answers.hangUpUnread,
    inevitable: false,
    exitCode: 0,
    refreshes: 1,
  },
  {
    fault: `SIGKILL of a process whose answer is on its way, while ${WAITING} others wait for it`,
    answer: answers.genuine,
    inevitable: true,
    exitCode: 4,
    refreshes: 2,
  },
]

export const killedWhileOthersWait: Scenario = {
  name: 'killed-while-others-wait',
  rule:
    'The process that refreshes is killed while others wait for it. One of them takes over at once, and asks the ' +
    'provider once; all of them come to the same result.',
  run: async (stage) => together(await Promise.all(CASES.map((one) => tryCase(stage, one)))),
}

async function tryCase(stage: Stage, one: Case): Promise<Findings> {
  const tally = new Tally(one.fault, one)
  const takeovers: number[] = []
  for (let at = 0; at < (stage.short ? 1 : 15); at++) {
    await inTrial(stage, async (trial) => {
      const { ends, after } = await killTheFirst(trial, one.answer)
      takeovers.push(after)
      tally.add({
        refreshes: trial.issuer.refreshes,
        spentTwice: trial.issuer.spentTwice,
        lost: keepsLogin(trial) ? 0 : 1,
        hangs: ends.filter(({ hung }) => hung).length,
        broken: [
          ...ends.flatMap((ended) => [...complaints(ended, trial.issuer), ...wrongEnd(ended, one)]),
          ...unless(new Set(ends.map(({ stdout }) => stdout)).size === 1, 'they have different tokens'),
          ...unless(trial.issuer.refreshes === one.refreshes, `${trial.issuer.refreshes} refreshes`),
        ],
      })
    })
  }
  const most = Math.max(...takeovers)
  return {
    rows: [
      tally.row(`all of them had ended ${duration(median(takeovers))} after it, ${duration(most)} at most`),
    ],
    broken: tally.broken(),
  }
}

function wrongEnd({ exitCode, stderr }: Ended, one: Case): string[] {
  return unless(exitCode === one.exitCode, `one that waited ended with ${exitCode}: ${firstLine(stderr)}`)
}

async function killTheFirst(
  trial: Trial,
  answer: ScriptedAnswer,
): Promise<{ readonly ends: readonly Ended[]; readonly after: number }> {
  const held = hold(answer)
  trial.issuer.nextAnswers.push(held.answer)
  const first = trial.start(['token'])
  await Promise.race([held.arrived, first.ended])
  const others = Array.from({ length: WAITING }, () => trial.start(['token']))
  // That they wait cannot be seen from outside; it takes them as long as the first one took to come this far, or less.
  await setTimeout(600)
  first.signal('SIGKILL')
  const killed = performance.now()
  await first.ended
  held.release()
  const ends = await Promise.all(others.map(({ ended }) => ended))
  return { ends, after: performance.now() - killed }
}
