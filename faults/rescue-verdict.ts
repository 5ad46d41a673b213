import { existsSync } from 'node:fs'
import { rescuePaths } from '../src/adapters/store/rescue.ts'
import { readSealedFile } from '../src/adapters/store/sealed-file.ts'
import { attemptRead } from '../src/core/attempt-read.ts'
import { AuthError } from '../src/errors.ts'
import type { Ended } from './program.ts'
import type { Trial } from './trial.ts'
import { printsToken, unless } from './verdict.ts'

export function saysWhere({ stderr }: Ended): string[] {
  return unless(/The new tokens are kept, sealed, in \//.test(stderr), 'it does not say where the tokens are')
}

export function isThere({ home }: Trial): string[] {
  return unless(rescuePaths(home, 'default').some(existsSync), 'there is no rescue')
}

/** It has to lie in its place now; at the second one, too, when it had come to its place before the disk failed. */
export function adopted(trial: Trial, next: Ended): string[] {
  const lying = attemptRead(() => readSealedFile(trial.home, 'default'))
  const token = lying === undefined || lying instanceof AuthError ? undefined : lying.credential.refreshToken
  return [
    ...printsToken(next, trial.issuer, 'the next call'),
    ...unless(trial.issuer.refreshes === 1, `${trial.issuer.refreshes} refreshes`),
    ...unless(trial.issuer.accepts(token ?? ''), 'the answer is not in its place'),
  ]
}
