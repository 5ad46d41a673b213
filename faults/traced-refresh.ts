import { join } from 'node:path'
import type { Ended } from './program.ts'
import { interfering, stepsIn, watching, type Step } from './strace.ts'
import type { Trial } from './trial.ts'

/** The steps of one `token` call that nothing happens to. */
export function stepsOfToken(trial: Trial): Promise<Step[]> {
  return stepsOf(['token'], trial)
}

/** The steps of a call that nothing happens to. @throws when it does not end well: its steps would be others. */
export async function stepsOf(words: readonly string[], trial: Trial): Promise<Step[]> {
  const log = join(trial.folder, 'steps')
  const { exitCode } = await trial.run(words, { through: watching(log) })
  if (exitCode !== 0) throw new Error(`the watched call ended with ${exitCode}`)
  return stepsIn(log, trial.home)
}

/**
 * Of steps in a row that only look at something, the first: a process killed before any of the others leaves the same.
 * What it has sent it has sent by then, so the answer's arrival is one of those that count.
 */
export function turningPoints(steps: readonly Step[]): Step[] {
  return steps.filter((_, at) => !onlyLooks(steps[at - 1]?.name ?? ''))
}

function onlyLooks(name: string): boolean {
  if (/^read connection$/.test(name)) return false
  return /^(?:p?read|statx|newfstatat|getdents|access|close|epoll_ctl|[gs]etsockopt|open\w* (?!to ))/.test(
    name,
  )
}

/** Where in the list the refresh token leaves. */
export function sendingIn(steps: readonly Step[]): number {
  return place(steps, ({ name }) => /^(?:writev?|send(?:to|msg)) connection$/.test(name))
}

/** Where in the list the lock's owner begins to note that it is about to send: it opens its record. */
export function recordingIn(steps: readonly Step[]): number {
  return place(steps, ({ name }) => /^open\w* to write profiles\/default\.lock\/owner-\*$/.test(name))
}

/** Where in the list the new credential takes its place. */
export function savingIn(steps: readonly Step[]): number {
  return place(steps, ({ name }) => /^rename\w* .* → profiles\/default\.cred$/.test(name))
}

/** Where in the list the answer is read. */
export function answerIn(steps: readonly Step[]): number {
  return place(steps, ({ name }) => /^(?:read|recv)\w* connection$/.test(name))
}

/** Where in the list the answer is whole in its file: what is left of the room kept for it has been cut off. */
export function writtenIn(steps: readonly Step[]): number {
  const answer = answerIn(steps)
  return place(steps, ({ name }, at) => at > answer && /^ftruncate .*\.default\.cred\.\*\.tmp$/.test(name))
}

function place(steps: readonly Step[], isIt: (step: Step, at: number) => boolean): number {
  const at = steps.findIndex(isIt)
  if (at < 0) throw new Error('the steps of a refresh are not what they were')
  return at
}

/**
 * Runs `attempt` until it says that its step was reached; it gets the number that the step's call has this time. How
 * often a thread wakes itself up is not the same each time, so a call may have another number than before.
 */
export async function untilReached<T>(
  step: Step,
  attempt: (nth: number) => Promise<{ readonly reached: T } | { readonly log: readonly Step[] }>,
): Promise<T> {
  let { nth } = step
  for (let tries = 0; tries < 12; tries++) {
    const found = await attempt(nth)
    if ('reached' in found) return found.reached
    // It came by before, or it was still to come.
    nth = sameStep(found.log, step)?.nth ?? nth + 1
  }
  throw new Error(`no call came to the step "${step.name}" again`)
}

export function sameStep(steps: readonly Step[], { name, occurrence }: Step): Step | undefined {
  return steps.find((step) => step.name === name && step.occurrence === occurrence)
}

/** Runs a command in a trial, `token` unless told, does something to it at one step, and hands the trial on. */
export function interfered<T>(
  step: Step,
  what: string,
  opened: <R>(work: (trial: Trial) => Promise<R>) => Promise<R>,
  judge: (trial: Trial, ended: Ended) => Promise<T>,
  words: readonly string[] = ['token'],
): Promise<T> {
  return untilReached(step, (nth) =>
    opened(async (trial) => {
      const path = join(trial.folder, 'interfered')
      const ended = await trial.run(words, { through: interfering(path, step.syscall, nth, what) })
      const log = stepsIn(path, trial.home)
      return sameStep(log, step)?.nth === nth ? { reached: await judge(trial, ended) } : { log }
    }),
  )
}
