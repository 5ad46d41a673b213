import { tmpdir } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { answers } from '../../test/support/fake-issuer.ts'
import { eachOf } from '../each-of.ts'
import { afterKill, usualTime, WINDOW_NOTES, type AfterKill } from '../kill.ts'
import { libraryHost } from '../library-host.ts'
import type { Program } from '../program.ts'
import { together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'

/** The ways in which a program ends that does not wait for what it has asked for. */
const ENDS = [
  { fault: 'SIGKILL of a program with the library', signal: 'SIGKILL' },
  { fault: '`process.exit` in a program with the library', signal: 'SIGUSR2' },
] as const

/** Milliseconds from the answer within which it is saved, and more. */
const SAVING = 40

export const libraryKilled: Scenario = {
  name: 'library-killed',
  rule:
    'A program that has asked the library for a token is killed, or calls `process.exit`, at a random moment: half of them ' +
    `anywhere in its life, half within ${SAVING} ms of the provider's answer. The next call works, unless the answer was on ` +
    'its way, or not yet written.',
  run: async (stage) => {
    const host = libraryHost(stage)
    const usual = await usualTime(stage)
    return together([await endAll(stage, host, ENDS[0], usual), await endAll(stage, host, ENDS[1], usual)])
  },
}

async function endAll(
  stage: Stage,
  host: Program,
  { fault, signal }: (typeof ENDS)[number],
  usual: number,
): Promise<Findings> {
  const shots = Array.from({ length: stage.short ? 3 : 30 }, (_, at) =>
    at % 2 === 0
      ? { from: 'its start', after: stage.random.next() * usual * 1.5 }
      : { from: 'the answer', after: stage.random.next() * SAVING },
  )
  const work = ({ from, after }: (typeof shots)[number]): Promise<AfterKill> =>
    inTrial(stage, async (trial) => {
      await endHost(trial, host, signal, from, after)
      const found = await afterKill(trial, usual)
      const broken = (found.outcome.broken ?? []).map(
        (what) => `${after.toFixed(1)} ms after ${from}: ${what}`,
      )
      return { ...found, outcome: { ...found.outcome, broken } }
    })
  const safe = new Tally(`${fault}, refresh token not sent, or answer saved`)
  const window = new Tally(`${fault}, between sending and saving`, { inevitable: true })
  for (const { moment, outcome } of await eachOf(shots, stage.wide, work, stage.progress))
    (moment === 'in the window' ? window : safe).add(outcome)
  return {
    rows: [safe.row('the next call works'), window.row(WINDOW_NOTES)],
    broken: [...safe.broken(), ...window.broken()],
  }
}

async function endHost(
  { issuer, home }: Trial,
  host: Program,
  signal: NodeJS.Signals,
  from: string,
  after: number,
): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    issuer.nextAnswers.push({ ...answers.genuine, beforeAnswer: async () => resolve() })
  })
  const running = host.start(['library'], { home, temporary: tmpdir() })
  if (from === 'the answer') await Promise.race([answered, running.ended])
  await setTimeout(after)
  running.signal(signal)
  await running.ended
}
