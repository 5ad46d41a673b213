import { AuthError } from '../errors.ts'
import type { StoredCredential } from './ports.ts'

/** Reads a credential where one that cannot be read is an answer, not an end. Only what is no {@link AuthError} is thrown. */
export function attemptRead(
  read: () => StoredCredential | undefined,
): StoredCredential | AuthError | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof AuthError) return error
    throw error
  }
}
