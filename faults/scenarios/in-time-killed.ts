import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { IN_TIME, throughBackground, withBackground } from '../background.ts'
import { eachOf } from '../each-of.ts'
import { afterKill, usualTime, WINDOW_NOTES, type AfterKill } from '../kill.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { interfering, stepsIn, watching, whyNoStrace, type Step } from '../strace.ts'
import { Tally, type Outcome } from '../tally.ts'
import { sameStep, turningPoints, untilReached } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, firstLine, outcomeOf, printsToken, unless } from '../verdict.ts'

/** Milliseconds that the provider takes, so that callers are killed while it does. */
const ANSWER = 200

export const inTimeKilled: Scenario = {
  name: 'in-time-killed',
  rule:
    'Of `token --timeout 4s` and the process that it has refresh for it, one is killed. Where it is the caller, at any ' +
    'moment, one refresh is sent in all, and the next call has its answer. Where it is the other one, right before each of ' +
    'its steps that leaves something else than the one before, the caller says in time what has become of it.',
  run: async (stage) => {
    const fault = 'SIGKILL at every step of the refresh behind `token --timeout`'
    const why = whyNoStrace()
    return together([
      await killCallers(stage),
      why === undefined ? await killRefreshes(withBackground(stage), fault) : skipped(fault, why),
    ])
  },
}

async function killCallers(stage: Stage): Promise<Findings> {
  const life = (await usualTime(stage)) * 2 + ANSWER
  const moments = Array.from({ length: stage.short ? 3 : 40 }, () => stage.random.next() * life)
  const tally = new Tally('SIGKILL of `token --timeout 4s` at a random moment')
  const work = (after: number): Promise<Outcome> => inTrial(stage, (trial) => killCaller(trial, after))
  for (const outcome of await eachOf(moments, stage.wide, work, stage.progress)) tally.add(outcome)
  return {
    rows: [tally.row('the refresh goes on, and the next call has its answer')],
    broken: tally.broken(),
  }
}

async function killCaller(trial: Trial, after: number): Promise<Outcome> {
  const { issuer } = trial
  issuer.behaviour.answerDelay = ANSWER
  const running = trial.start(IN_TIME)
  await setTimeout(after)
  running.signal('SIGKILL')
  await running.ended
  const next = await trial.run(IN_TIME)
  const broken = [
    ...printsToken(next, issuer, 'the next call'),
    ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
  ]
  const where = `after ${after.toFixed(0)} ms`
  return outcomeOf(
    trial,
    [next],
    broken.map((what) => `${where}: ${what}`),
  )
}

async function killRefreshes(stage: Stage, fault: string): Promise<Findings> {
  const all = turningPoints(await inTrial(stage, stepsOfRefresh))
  const steps = stage.short ? stage.random.sample(all, 3) : all
  const usual = await usualTime(stage)
  const found = await eachOf(steps, stage.wide, (step) => killRefresh(stage, step, usual), stage.progress)
  const safe = new Tally(`${fault}, refresh token not sent, or answer saved`)
  const window = new Tally(`${fault}, between sending and saving`, { inevitable: true })
  for (const { moment, outcome } of found) (moment === 'in the window' ? window : safe).add(outcome)
  return {
    rows: [safe.row('the caller says so in time, and the next call works'), window.row(WINDOW_NOTES)],
    broken: [...safe.broken(), ...window.broken()],
  }
}

async function stepsOfRefresh(trial: Trial): Promise<Step[]> {
  const log = join(trial.folder, 'steps')
  const { exitCode } = await throughBackground(trial, watching(log))
  if (exitCode !== 0) throw new Error(`the watched call ended with ${exitCode}`)
  return stepsIn(log, trial.home)
}

function killRefresh(stage: Stage, step: Step, usual: number): Promise<AfterKill> {
  return untilReached(step, (nth) =>
    inTrial(stage, async (trial) => {
      const path = join(trial.folder, 'interfered')
      const caller = await throughBackground(trial, interfering(path, step.syscall, nth, 'signal=SIGKILL'))
      const log = stepsIn(path, trial.home)
      if (sameStep(log, step)?.nth !== nth) return { log }
      const after = await afterKill(trial, usual)
      const broken = [
        ...complaints(caller, trial.issuer),
        ...unless(!caller.hung, 'the caller hung'),
        ...unless(
          [0, 4, 5].includes(caller.exitCode ?? -1),
          `the caller ended with ${caller.exitCode}: ${firstLine(caller.stderr)}`,
        ),
        ...(after.outcome.broken ?? []),
      ].map((what) => `before ${step.name} (call ${step.nth} of ${step.syscall}): ${what}`)
      return { reached: { ...after, outcome: { ...after.outcome, broken } } }
    }),
  )
}
