import { AuthError } from '../src/errors.ts'
import type { FakeIssuer } from '../test/support/fake-issuer.ts'
import type { Ended } from './program.ts'
import type { Outcome } from './tally.ts'
import type { Trial } from './trial.ts'

/** The exit codes that a call of `token` or `refresh` may end with, whatever is done to it. */
const EXPECTED = new Set([0, 3, 4, 5, 6, 7])

/** What no run may do, whatever the fault. Says nothing secret. */
export function complaints(
  { exitCode, stdout, stderr }: Ended,
  issuer: Pick<FakeIssuer, 'secrets'>,
): string[] {
  const unexpected = exitCode !== null && !EXPECTED.has(exitCode)
  return [
    ...(unexpected || showsStack(stderr) ? [`a bug shows (${exitCode}): ${firstLine(stderr)}`] : []),
    ...(exitCode !== 0 && exitCode !== 3 && stdout !== '' ? ['it printed something although it failed'] : []),
    ...([...issuer.secrets].some((secret) => stderr.includes(secret)) ? ['it showed a secret'] : []),
  ]
}

function showsStack(stderr: string): boolean {
  return /^\s+at .+:\d+:\d+\)?$/m.test(stderr)
}

/** What was said, without the rest; where Node.js itself ended it, the error. Folders of this run are left out. */
export function firstLine(text: string): string {
  const line = /^.*Error: .*$/m.exec(text)?.[0] ?? text.split('\n', 1)[0] ?? ''
  return line.replaceAll(/\/\S*\/(?:home|tmp)\//g, '…/')
}

/** What is found by the call that comes after a fault, and what of the login is left then. */
export interface Aftermath {
  readonly next: Ended
  /** It printed a token that the provider accepts. */
  readonly works: boolean
  readonly lost: boolean
  readonly outcome: Outcome
}

/**
 * Runs `token` as the next user of the login would, and looks at what is stored before and after. The login counts as
 * lost when the provider does not accept the stored refresh token any more.
 */
export async function aftermath(trial: Trial): Promise<Aftermath> {
  const { issuer } = trial
  const damaged = isWhole(trial) ? 0 : 1
  const next = await trial.run(['token'])
  const works = next.exitCode === 0 && issuer.accepts(next.stdout.trim())
  const lost = !keepsLogin(trial)
  return {
    next,
    works,
    lost,
    outcome: {
      refreshes: issuer.refreshes,
      spentTwice: issuer.spentTwice,
      lost: lost ? 1 : 0,
      damaged: Math.max(damaged, isWhole(trial) ? 0 : 1),
      hangs: next.hung ? 1 : 0,
      broken: complaints(next, issuer),
    },
  }
}

/** Whether there is a credential, and it can be read. */
export function isWhole(trial: Trial): boolean {
  const found = trial.read()
  return found !== undefined && !(found instanceof AuthError)
}

/** Whether the provider would accept the stored refresh token. */
export function keepsLogin(trial: Trial): boolean {
  const found = trial.read()
  if (found === undefined || found instanceof AuthError) return false
  return trial.issuer.accepts(found.credential.refreshToken ?? '')
}

/** Says what differs, where it does. */
export function unless(holds: boolean, otherwise: string): string[] {
  return holds ? [] : [otherwise]
}

/** What a try came to, when these runs were all of it. */
export function outcomeOf(
  trial: Trial,
  ends: readonly Ended[],
  broken: readonly string[],
): Outcome & { readonly broken: readonly string[] } {
  const { issuer } = trial
  return {
    refreshes: issuer.refreshes,
    spentTwice: issuer.spentTwice,
    lost: keepsLogin(trial) ? 0 : 1,
    damaged: isWhole(trial) ? 0 : 1,
    hangs: ends.filter(({ hung }) => hung).length,
    broken: [...ends.flatMap((ended) => complaints(ended, issuer)), ...broken],
  }
}

/** A call that has to end so. */
export function endsWith({ exitCode, stderr }: Ended, expected: number, which = 'it'): string[] {
  return unless(
    exitCode === expected,
    `${which} ended with ${exitCode}, not ${expected}: ${firstLine(stderr)}`,
  )
}

/** A call that has to print a token that the provider accepts. */
export function printsToken(ended: Ended, issuer: Pick<FakeIssuer, 'accepts'>, which = 'it'): string[] {
  const wrong = endsWith(ended, 0, which)
  if (wrong.length > 0) return wrong
  return unless(
    issuer.accepts(ended.stdout.trim()),
    `${which} printed a token that the provider does not accept`,
  )
}
