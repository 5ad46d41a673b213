import { rmSync, utimesSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { sight } from '../../src/adapters/store/lock-process.ts'
import { AuthError } from '../../src/errors.ts'
import { hold } from '../../test/support/fake-issuer.ts'
import type { Ended, Running } from '../program.ts'
import { together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { signInAt } from '../sign-in.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, firstLine, keepsLogin, unless } from '../verdict.ts'

/** Seconds that others wait for a lock in these trials. */
const LOCK_WAIT = 2
const OTHERS = 4

export const stopped: Scenario = {
  name: 'stopped',
  rule:
    'The process that refreshes is stopped (SIGSTOP, as when a laptop sleeps) while its answer is on its way, and goes ' +
    'on later. Nobody sends its refresh token a second time, its answer is saved, and nothing newer is written over.',
  run: async (stage) => {
    const cases = [
      waitersEnd(stage),
      signedInAnew(stage),
      everybodySleeps(stage),
      ...(stage.short ? [] : [20, 50].map((seconds) => sleepsLong(stage, seconds))),
    ]
    return together(await Promise.all(cases))
  },
}

/** A process with the lock whose request has arrived; its answer waits. */
interface Stopped {
  readonly running: Running
  answer(): void
  /** Lets the process go on, and waits for its end. */
  goOn(): Promise<Ended>
}

async function stopWhileAnswerWaits(trial: Trial, wait = 0): Promise<Stopped> {
  await trial.run(['config', 'set', 'lock_wait', `${LOCK_WAIT}s`, '--quiet'])
  const held = hold()
  trial.issuer.nextAnswers.push(held.answer)
  const running = trial.start(['token'], { wait })
  await Promise.race([held.arrived, running.ended])
  running.signal('SIGSTOP')
  while (sight(running.pid).state === 'running') await setTimeout(5)
  return {
    running,
    answer: held.release,
    goOn: () => {
      running.signal('SIGCONT')
      return running.ended
    },
  }
}

/** Its last sign of life looks two minutes old, which is far beyond what a lock with an unknown owner is given. */
async function waitersEnd(stage: Stage): Promise<Findings> {
  const tally = new Tally(`SIGSTOP for longer than a lock is good for, ${OTHERS} others want it`)
  for (let at = 0; at < (stage.short ? 1 : 6); at++) {
    await inTrial(stage, async (trial) => {
      const first = await stopWhileAnswerWaits(trial, 30)
      const longAgo = Date.now() / 1000 - 120
      utimesSync(trial.lockPath, longAgo, longAgo)
      if (at % 2 === 0) first.answer()
      const options = { wait: LOCK_WAIT }
      const others = await Promise.all(Array.from({ length: OTHERS }, () => trial.run(['token'], options)))
      const before = trial.issuer.refreshes
      const going = first.goOn()
      first.answer()
      const ended = await going
      const gaveUp = others.filter(({ exitCode, stderr }) => exitCode === 7 && /kill -CONT \d+/.test(stderr))
      add(
        tally,
        trial,
        [ended, ...others],
        [
          ...unless(
            gaveUp.length === OTHERS,
            `${OTHERS - gaveUp.length} of those who waited did not end with 7 and the way out`,
          ),
          ...unless(before === 1, `${before} refreshes while it was stopped`),
          ...worked(trial, ended),
        ],
      )
    })
  }
  return {
    rows: [tally.row(`those end with 7 after lock_wait (${LOCK_WAIT} s), and say what lets it go on`)],
    broken: tally.broken(),
  }
}

async function signedInAnew(stage: Stage): Promise<Findings> {
  const tally = new Tally('SIGSTOP; the lock is removed by hand, and somebody signs in anew')
  for (let at = 0; at < (stage.short ? 1 : 6); at++) {
    await inTrial(stage, async (trial) => {
      const first = await stopWhileAnswerWaits(trial, 30)
      rmSync(trial.lockPath, { recursive: true })
      await signInAt(trial.start, ['--issuer', trial.issuer.issuer, '--port', '0'])
      const newer = trial.bytes()
      const going = first.goOn()
      first.answer()
      const ended = await going
      add(
        tally,
        trial,
        [ended],
        [
          ...unless(
            newer !== undefined && trial.bytes()?.equals(newer) === true,
            'the newer login was written over',
          ),
          ...worked(trial, ended),
        ],
      )
    })
  }
  return {
    rows: [tally.row('it hands out the newer login, and leaves it to the byte')],
    broken: tally.broken(),
  }
}

/** As when a laptop is closed while everything runs. */
async function everybodySleeps(stage: Stage): Promise<Findings> {
  const tally = new Tally(`SIGSTOP of everybody, ${OTHERS} waiting ones included, for 3 s`)
  await inTrial(stage, async (trial) => {
    const first = await stopWhileAnswerWaits(trial, 30)
    const others = Array.from({ length: OTHERS }, () => trial.start(['token'], { wait: 30 }))
    await setTimeout(700)
    for (const { signal } of others) signal('SIGSTOP')
    await setTimeout(3000)
    first.answer()
    for (const { signal } of others) signal('SIGCONT')
    const ended = await first.goOn()
    const ends = await Promise.all(others.map((other) => other.ended))
    // Those who had waited as long as they may, in the sleep, have given up.
    const wrong = ends.filter(({ exitCode, stdout }) => exitCode !== 7 && stdout !== ended.stdout)
    add(
      tally,
      trial,
      [ended, ...ends],
      [
        ...unless(wrong.length === 0, `${wrong.length} of those who waited have another token`),
        ...worked(trial, ended),
      ],
    )
  })
  return { rows: [tally.row()], broken: tally.broken() }
}

/** The answer arrives in the sleep; its time limit is over by the time the process wakes up. */
async function sleepsLong(stage: Stage, seconds: number): Promise<Findings> {
  const tally = new Tally(`SIGSTOP for ${seconds} s, the answer comes meanwhile`)
  await inTrial(stage, async (trial) => {
    const first = await stopWhileAnswerWaits(trial, seconds)
    first.answer()
    await setTimeout(seconds * 1000)
    const ended = await first.goOn()
    add(tally, trial, [ended], worked(trial, ended))
  })
  return { rows: [tally.row()], broken: tally.broken() }
}

function add(tally: Tally, trial: Trial, ends: readonly Ended[], broken: readonly string[]): void {
  const { issuer } = trial
  const found = trial.read()
  tally.add({
    refreshes: issuer.refreshes,
    spentTwice: issuer.spentTwice,
    lost: keepsLogin(trial) ? 0 : 1,
    damaged: found === undefined || found instanceof AuthError ? 1 : 0,
    hangs: ends.filter(({ hung }) => hung).length,
    broken: [...ends.flatMap((ended) => complaints(ended, issuer)), ...broken],
  })
}

function worked({ issuer }: Trial, { exitCode, stdout, stderr }: Ended): string[] {
  return [
    ...unless(exitCode === 0, `when it went on, it ended with ${exitCode}: ${firstLine(stderr)}`),
    ...unless(
      exitCode !== 0 || issuer.accepts(stdout.trim()),
      'it printed a token that the provider does not accept',
    ),
    ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
  ]
}
