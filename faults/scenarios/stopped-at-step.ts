import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { eachOf } from '../each-of.ts'
import type { Ended } from '../program.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { interferingWithAll, processIn, stepsIn, whyNoStrace, type Step } from '../strace.ts'
import { Tally, type Outcome } from '../tally.ts'
import { recordingIn, sameStep, sendingIn, stepsOfToken, untilReached } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, firstLine, keepsLogin, unless } from '../verdict.ts'

export const stoppedAtStep: Scenario = {
  name: 'stopped-at-step',
  rule:
    'A `token` call is stopped right after one of its system calls before it sends anything, the lock that it holds is ' +
    'removed by hand, another call refreshes, and the first one goes on. It notices, and sends nothing, as long as it ' +
    'has not yet recorded that it is about to send.',
  run: async (stage) => {
    const why = whyNoStrace()
    if (why !== undefined) return skipped('SIGSTOP at a step, lock removed by hand', why)
    const steps = await inTrial(stage, stepsOfToken)
    const [recording, sending] = [recordingIn(steps), sendingIn(steps)]
    const locked = steps.findIndex(({ name }) => /^rename\w* .* → profiles\/default\.lock$/.test(name))
    return together([
      await tryAll(
        stage,
        new Tally('SIGSTOP before the spending is recorded; lock removed by hand, another call refreshes'),
        steps.slice(locked, recording),
      ),
      await tryAll(
        stage,
        new Tally(
          'SIGSTOP between the record and the sending; lock removed by hand, another call refreshes',
          { inevitable: true },
        ),
        steps.slice(recording, sending),
        'nothing can be looked at between waking up and sending: hence the record, and no lock is to be removed',
      ),
    ])
  },
}

async function tryAll(stage: Stage, tally: Tally, all: readonly Step[], notes?: string): Promise<Findings> {
  const chosen = stage.random.sample(all, stage.short ? 1 : 8)
  await eachOf(chosen, stage.width, (step) => stopThere(stage, step, tally), stage.progress)
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

async function stopThere(stage: Stage, step: Step, tally: Tally): Promise<void> {
  const outcome = await untilReached(step, (nth) =>
    inTrial(stage, async (trial) => {
      const path = join(trial.folder, 'interfered')
      const through = interferingWithAll(path, step.syscall, nth, 'signal=SIGSTOP')
      const running = trial.start(['token'], { through, wait: 30 })
      const pid = await stoppedProcess(path, running.ended)
      const log = stepsIn(path, trial.home)
      if (pid === undefined) return { log }
      rmSync(trial.lockPath, { recursive: true, force: true })
      const other = await trial.run(['token'])
      process.kill(pid, 'SIGCONT')
      const ended = await running.ended
      return sameStep(log, step)?.nth === nth ? { reached: judge(trial, step, other, ended) } : { log }
    }),
  )
  tally.add(outcome)
}

function judge(trial: Trial, step: Step, other: Ended, ended: Ended): Outcome {
  const { issuer } = trial
  return {
    refreshes: issuer.refreshes,
    spentTwice: issuer.spentTwice,
    lost: keepsLogin(trial) ? 0 : 1,
    hangs: [other, ended].filter(({ hung }) => hung).length,
    broken: [
      ...[other, ended].flatMap((one) => complaints(one, issuer)),
      ...unless(
        other.exitCode === 0,
        `the other call ended with ${other.exitCode}: ${firstLine(other.stderr)}`,
      ),
    ].map((what) => `after ${step.name}: ${what}`),
  }
}

/** Its number as soon as it has stopped. `undefined`: it ended without. */
async function stoppedProcess(log: string, ended: Promise<Ended>): Promise<number | undefined> {
  for (;;) {
    const state = await Promise.race([ended.then(() => 'over' as const), setTimeout(5, 'runs' as const)])
    if (textOf(log).includes('--- stopped by SIGSTOP ---'))
      return state === 'over' ? undefined : processIn(log)
    if (state === 'over') return undefined
  }
}

function textOf(log: string): string {
  // It has not begun to write yet.
  return existsSync(log) ? readFileSync(log, 'utf8') : ''
}
