import { setTimeout } from 'node:timers/promises'
import { AuthError } from '../src/errors.ts'
import { median } from './figures.ts'
import { eachOf } from './each-of.ts'
import type { Stage } from './scenario.ts'
import { inTrial, type Trial } from './trial.ts'
import { aftermath, firstLine, unless } from './verdict.ts'
import type { Outcome } from './tally.ts'

/** Milliseconds by which the call after a kill may take longer than one that nothing happened to. */
const SLOWER = 1000

/** Where the refresh was when its process was killed, as provider and store show it. */
export type Moment =
  /** The provider has not seen the refresh token. */
  | 'before sending'
  /** The provider has taken the refresh token, and what it gave for it has not come to its place. */
  | 'in the window'
  | 'after saving'

/** For the row of those that were killed in the window. */
export const WINDOW_NOTES =
  'lost: nobody has the answer any more, and the next call finds out and says so (4); the others were found in the ' +
  'file that had not come to its place'

export interface AfterKill {
  readonly moment: Moment
  readonly outcome: Outcome
  /** Milliseconds of the next call beyond a usual one. */
  readonly slower: number
  readonly lost: boolean
}

/** Judges what a killed process left, by what the next call makes of it. `usual`: milliseconds of a call that refreshes. */
export async function afterKill(trial: Trial, usual: number): Promise<AfterKill> {
  const moment = await momentOf(trial)
  const { next, works, lost, outcome } = await aftermath(trial)
  const slower = next.elapsed - usual
  const inWindow = moment === 'in the window'
  const broken = [
    ...(outcome.broken ?? []),
    ...unless(!lost || inWindow, 'the login is lost'),
    ...(lost && inWindow
      ? toldOfLoss(next)
      : unless(works, `the next call ended with ${next.exitCode}: ${firstLine(next.stderr)}`)),
    ...unless(lost || outcome.refreshes === 1, `${outcome.refreshes} refreshes`),
  ].map((what) => `killed ${moment}: ${what}`)
  return { moment, slower, lost, outcome: { ...outcome, broken } }
}

/** The person has to hear that it was not the provider's whim. */
export function toldOfLoss({ exitCode, stderr }: { exitCode: number | null; stderr: string }): string[] {
  const told = exitCode === 4 && /was ended after .* while the provider's answer was on its way/.test(stderr)
  return unless(told, `the loss was not explained (${exitCode}): ${firstLine(stderr)}`)
}

async function momentOf({ issuer, login, read }: Trial): Promise<Moment> {
  await whatIsOnItsWay()
  const stored = read()
  const kept =
    stored !== undefined && !(stored instanceof AuthError) ? stored.credential.refreshToken : undefined
  if (kept !== login.refreshToken) return 'after saving'
  return issuer.accepts(login.refreshToken) ? 'before sending' : 'in the window'
}

/** A request that a killed process has sent is still delivered, and answered, by this machine alone. */
async function whatIsOnItsWay(): Promise<void> {
  await setTimeout(30)
}

/** Repeats what was too slow: a machine that was busy for a moment is no fault of the program. */
export async function notSlow(attempt: () => Promise<AfterKill>): Promise<AfterKill> {
  let found = await attempt()
  for (let again = 0; found.slower > SLOWER && again < 3; again++) found = await attempt()
  if (found.slower <= SLOWER) return found
  const slow = `the next call took ${found.slower.toFixed(0)} ms longer than usual, four times in a row`
  return { ...found, outcome: { ...found.outcome, broken: [...(found.outcome.broken ?? []), slow] } }
}

/** Milliseconds of a `token` call that refreshes, with as many at once as the trials will have. */
export async function usualTime(stage: Stage): Promise<number> {
  const runs = Array.from({ length: stage.short ? 4 : 10 })
  const times = await eachOf(runs, stage.width, () =>
    inTrial(stage, async ({ run }) => (await run(['token'])).elapsed),
  )
  return median(times)
}
