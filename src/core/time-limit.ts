import type { AuthError } from '../errors.ts'

/** Milliseconds. A timer that is set for longer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Runs `work` with a signal that is aborted with `late()` after so many seconds, or with the reason of `outer` before that.
 * Infinity: there is no limit.
 */
export async function withinTime<T>(
  seconds: number,
  late: () => AuthError,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(late()), Math.min(seconds * 1000, LONGEST_TIMER))
  try {
    return await work(AbortSignal.any([outer, over.signal]))
  } finally {
    clearTimeout(timer)
    // Whatever still listens for the end is let go.
    over.abort()
  }
}
