import { AuthError } from '../../../src/errors.ts'
import { PassingFault } from '../../../src/adapters/provider/passing-fault.ts'

/** All that a fault says, as a plain value. */
export interface Told {
  readonly code: string
  readonly message: string
  readonly mayRetry?: boolean
  readonly retryAfter?: number
  readonly nextStep?: string
  readonly cause?: object
}

/** What the promise is rejected with, which must be an {@link AuthError}. */
export async function rejection(promise: Promise<unknown>): Promise<AuthError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  if (error instanceof AuthError) return error
  throw error
}

/** As {@link rejection}, field by field; those that are `undefined` are left out. */
export async function told(promise: Promise<unknown>): Promise<Told> {
  return tell(await rejection(promise))
}

export function tell(error: AuthError): Told {
  const { code, message, nextStep, cause } = error
  return {
    code,
    message,
    ...(error instanceof PassingFault && { mayRetry: error.mayRetry }),
    ...(error instanceof PassingFault && error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
    ...(nextStep !== undefined && { nextStep }),
    ...(cause instanceof Error && { cause: fieldsOf(cause) }),
  }
}

function fieldsOf(error: Error): object {
  return Object.fromEntries([['message', error.message], ...Object.entries(error)])
}
