import { inspect } from 'node:util'
import { exitCode, exitName, nextStep } from '../../src/core/exit-code.ts'
import { AuthError, type ErrorCode } from '../../src/errors.ts'
import { recordOutput } from './secrets.ts'

/** All that a person or a script learns of a failure in the profile `default`. */
export interface Thrown {
  readonly code: ErrorCode
  readonly exitCode: number
  readonly message: string
  readonly nextStep: string
}

/** The failure that this ends with. What is no {@link AuthError} is thrown on, so that it fails the test. */
export function thrown(work: () => unknown): Thrown {
  try {
    work()
  } catch (error) {
    return described(error)
  }
  throw new Error('nothing was thrown')
}

/** As {@link thrown}, for what ends later. */
export async function rejected(promise: Promise<unknown>): Promise<Thrown> {
  try {
    await promise
  } catch (error) {
    return described(error)
  }
  throw new Error('nothing was thrown')
}

export function described(error: unknown): Thrown {
  if (!(error instanceof AuthError)) throw error
  const { code, message } = error
  recordOnce(error)
  return { code, exitCode: exitCode(exitName(code)), message, nextStep: nextStep(error, '') }
}

const recorded = new Set<string>()

/** Tests that go through thousands of damages meet few different errors. */
function recordOnce(error: AuthError): void {
  const what = [error.code, error.message, error.nextStep, String(error.cause)].join('\n')
  if (recorded.has(what)) return
  recorded.add(what)
  recordOutput(everythingIn(error), `an error ${error.code}`)
}

/** As much as a debugger shows of an error: message, stack, cause and every property. */
export function everythingIn(error: unknown): string {
  return inspect(error, {
    depth: Infinity,
    showHidden: true,
    maxStringLength: Infinity,
    maxArrayLength: Infinity,
  })
}
