import { setTimeout } from 'node:timers/promises'
import { answers } from '../../test/support/fake-issuer.ts'
import { eachOf } from '../each-of.ts'
import { duration } from '../figures.ts'
import { afterKill, notSlow, usualTime, WINDOW_NOTES, type AfterKill } from '../kill.ts'
import type { Random } from '../random.ts'
import type { Findings, Scenario, Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'

/** When a process is killed: somewhere in its whole life, or in the moment in which it can lose something. */
type Shot = { readonly from: 'its start' | 'the answer'; readonly after: number }

/** Milliseconds from the answer within which the process saves it, and more. */
const SAVING = 40

export const killedAtRandom: Scenario = {
  name: 'killed-at-random',
  rule:
    'A `token` call is killed at a random moment: half of them anywhere between its start and its end, half within ' +
    `${SAVING} ms of the provider's answer. The next call works, unless the answer was on its way, or not yet written.`,
  run: async (stage) => shootAll(stage, await usualTime(stage)),
}

async function shootAll(stage: Stage, usual: number): Promise<Findings> {
  const shots = Array.from({ length: stage.short ? 8 : 400 }, (_, at) => shotOf(stage.random, at, usual))
  const found = await eachOf(
    shots,
    stage.width,
    (shot) => notSlow(() => shoot(stage, shot, usual)),
    stage.progress,
  )
  const safe = new Tally('SIGKILL at a random moment, refresh token not sent, or answer saved')
  const window = new Tally('SIGKILL at a random moment between sending and saving', { inevitable: true })
  for (const { moment, outcome } of found) (moment === 'in the window' ? window : safe).add(outcome)
  const slowest = Math.max(0, ...found.map(({ slower }) => slower))
  return {
    rows: [safe.row(`next call at most ${duration(slowest)} slower`), window.row(WINDOW_NOTES)],
    broken: [...safe.broken(), ...window.broken()],
  }
}

function shotOf(random: Random, at: number, usual: number): Shot {
  return at % 2 === 0
    ? { from: 'its start', after: random.next() * usual }
    : { from: 'the answer', after: random.next() * SAVING }
}

function shoot(stage: Stage, shot: Shot, usual: number): Promise<AfterKill> {
  return inTrial(stage, async (trial) => {
    const answered = answerOf(trial)
    const running = trial.start(['token'])
    if (shot.from === 'the answer') await Promise.race([answered, running.ended])
    await setTimeout(shot.after)
    running.signal('SIGKILL')
    await running.ended
    const after = await afterKill(trial, usual)
    const when = `${shot.after.toFixed(1)} ms after ${shot.from}`
    const { outcome } = after
    const broken = outcome.broken ?? []
    return { ...after, outcome: { ...outcome, broken: broken.map((what) => `${when}: ${what}`) } }
  })
}

/** Resolves when the provider has done what it was asked and is about to answer. */
function answerOf({ issuer }: Trial): Promise<void> {
  return new Promise((resolve) => {
    issuer.nextAnswers.push({ ...answers.genuine, beforeAnswer: async () => resolve() })
  })
}
