import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AuthError } from '../src/errors.ts'
import { codexAuth, CODEX_FILES, refreshTokenIn } from '../test/support/codex-auth-file.ts'
import { replacedTokens } from './replaced-tokens.ts'
import type { Outcome } from './tally.ts'
import type { Trial } from './trial.ts'
import { complaints, endsWith, firstLine, unless } from './verdict.ts'

/** Both ways in which a login changes hands. */
export type Direction = 'import' | 'export'
export type Owner = 'profile' | 'Codex'

const END: Readonly<Record<Direction, Owner>> = { import: 'profile', export: 'Codex' }

export function wordsFor(direction: Direction): string[] {
  return [direction, 'codex']
}

const authFile = ({ home }: Trial): string => join(home, 'codex', 'auth.json')

/** Puts the trial's login where it is to be taken from, and nowhere else. */
export function begin(direction: Direction, trial: Trial): void {
  const path = authFile(trial)
  mkdirSync(dirname(path), { mode: 0o700 })
  writeFileSync(path, direction === 'import' ? codexAuth(trial.login) : '{}', { mode: 0o600 })
  if (direction === 'import') rmSync(trial.credentialPath)
}

/** Who has a refresh token, and which. */
function tokensOf(trial: Trial): Map<Owner, string> {
  const stored = trial.read()
  const here = stored === undefined || stored instanceof AuthError ? '' : stored.credential.refreshToken
  const all = new Map<Owner, string>([
    ['profile', here ?? ''],
    ['Codex', refreshTokenIn(authFile(trial)) ?? ''],
  ])
  return new Map([...all].filter(([, token]) => token !== ''))
}

export function ownersOf(trial: Trial): Owner[] {
  return [...tokensOf(trial).keys()]
}

/** What an owner does with its login before the command is given again. */
export async function renewBy(owner: Owner, trial: Trial): Promise<string[]> {
  if (owner === 'profile')
    return endsWith(await trial.run(['refresh', '--quiet']), 0, 'the refresh in between')
  const path = authFile(trial)
  const text = readFileSync(path, 'utf8')
  const spent = refreshTokenIn(path) ?? ''
  const { accessToken, refreshToken } = await replacedTokens(trial, spent)
  const { access_token: old } = (JSON.parse(text) as { tokens: { access_token: string } }).tokens
  writeFileSync(path, text.replace(spent, refreshToken).replace(old, accessToken))
  return []
}

/** Gives the same command again, which has to finish what the one before has begun. */
export async function finish(direction: Direction, trial: Trial): Promise<Outcome> {
  const { issuer } = trial
  const before = ownersOf(trial)
  const again = await trial.run(wordsFor(direction))
  const after = tokensOf(trial)
  const left = after.get(END[direction]) ?? ''
  // An export that had done everything finds an empty profile.
  const expected = direction === 'import' || before.includes('profile') ? 0 : 4
  return {
    refreshes: issuer.refreshes,
    spentTwice: issuer.spentTwice,
    lost: [...after.values()].some((token) => issuer.accepts(token)) ? 0 : 1,
    hangs: again.hung ? 1 : 0,
    broken: [
      ...complaints(again, issuer),
      ...endsWith(again, expected, `the same ${direction} again`),
      ...unless(
        [...after.keys()].join() === END[direction],
        `in the end, it belongs to ${[...after.keys()].join(' and ') || 'nobody'} (${firstLine(again.stderr)})`,
      ),
      ...unless(
        left === '' || issuer.accepts(left),
        'in the end, its owner has a refresh token that was spent',
      ),
      ...filesLeft(trial),
    ],
  }
}

function filesLeft(trial: Trial): string[] {
  const left = readdirSync(dirname(authFile(trial))).filter((name) => !CODEX_FILES.includes(name))
  return unless(left.length === 0, `something is left beside Codex's file: ${left.length}`)
}
