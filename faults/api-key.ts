import { AuthError } from '../src/errors.ts'
import type { Ended } from './program.ts'
import type { Step } from './strace.ts'
import { savingIn, stepsOf } from './traced-refresh.ts'
import type { Trial } from './trial.ts'
import { endsWith, unless } from './verdict.ts'

/** In a trial it finds an id token that is over: it refreshes, and then asks for the key. */
export const API_KEY = ['token', '--kind', 'api-key']

/** What such a call does from the moment at which the refresh is saved. */
export interface KeySteps {
  readonly steps: readonly Step[]
  /** Where among them the lock of the refresh is given back. */
  readonly released: number
  /** Where the request leaves. */
  readonly sending: number
  /** Where the answer is read. */
  readonly answer: number
  /** Where it is whole in its file. */
  readonly written: number
}

export async function stepsOfKey(trial: Trial): Promise<KeySteps> {
  const all = await stepsOf(API_KEY, trial)
  const steps = all.slice(savingIn(all) + 1)
  const place = (pattern: RegExp, from = 0): number => {
    const at = steps.findIndex(({ name }, index) => index >= from && pattern.test(name))
    if (at < 0) throw new Error('the steps of asking for an API key are not what they were')
    return at
  }
  const answer = place(/^(?:read|recv)\w* connection$/)
  return {
    steps,
    released: place(/^unlink profiles\/default\.lock\/owner-\*$/),
    sending: place(/^(?:writev?|send(?:to|msg)) connection$/),
    answer,
    written: place(/^ftruncate .*\.default\.cred\.\*\.tmp$/, answer),
  }
}

/** A call that has to print the key that is stored. */
export function printsKey(trial: Trial, ended: Ended, which = 'it'): string[] {
  const wrong = endsWith(ended, 0, which)
  if (wrong.length > 0) return wrong
  const key = storedKey(trial)
  return unless(
    key !== undefined && ended.stdout === `${key}\n`,
    `${which} printed a key that is not the stored one`,
  )
}

/** How often the provider has made a key. */
export function keysMade({ issuer }: Trial, allowed: readonly number[]): string[] {
  return unless(allowed.includes(issuer.apiKeys), `${issuer.apiKeys} API keys were asked for`)
}

export function storedKey(trial: Trial): string | undefined {
  const found = trial.read()
  return found instanceof AuthError ? undefined : found?.credential.mintedApiKey
}
