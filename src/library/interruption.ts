import { AuthError } from '../errors.ts'

/** What ends the waits of the work behind a call; the caller hears its own signal's reason instead. */
export function endedByCaller(): AuthError {
  return new AuthError('interrupted', 'The caller ended the call.')
}

/**
 * Runs work whose waits this signal ends. What must not be cut in two, such as the time between a sent refresh token and
 * the saved answer, is finished first.
 * @throws what the work throws; the signal's reason where it was the signal that ended the work.
 */
export async function interruptible<T>(
  signal: AbortSignal | undefined,
  work: (interruption: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = (): void => stop.abort(endedByCaller())
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await work(stop.signal)
  } catch (error) {
    throw stop.signal.aborted && error === stop.signal.reason ? signal?.reason : error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
