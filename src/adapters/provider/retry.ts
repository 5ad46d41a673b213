import { setTimeout } from 'node:timers/promises'
import { PassingFault } from './passing-fault.ts'

/** Seconds before the second, third and fourth attempt, where the server does not name its own. */
const PAUSES = [0.25, 0.75, 2]

export interface RetryLimits {
  /** Seconds from the first attempt in which another one may begin; 0: there is one attempt. */
  readonly within: number
  /** Ends a pause with its reason. It does not end an attempt. */
  readonly signal: AbortSignal
}

/**
 * Makes the attempt again after a failure of which it is certain that it spent nothing: the server was not reached, or put
 * the request off (429, 503). `Retry-After` is honoured where it ends in time, and ends the trying where it does not.
 * @throws what the last attempt threw, or the signal's reason.
 */
export async function retrying<T>(attempt: () => Promise<T>, { within, signal }: RetryLimits): Promise<T> {
  const end = performance.now() + within * 1000
  for (let attempts = 0; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      const pause = error instanceof PassingFault ? pauseAfter(error, attempts) : undefined
      if (pause === undefined || performance.now() + pause * 1000 >= end) throw error
      await sleep(pause, signal)
    }
  }
}

/** Seconds. `undefined`: this was the last attempt. Up to half as long again, so that waiters spread out. */
function pauseAfter({ mayRetry, retryAfter }: PassingFault, attempts: number): number | undefined {
  const usual = PAUSES[attempts]
  if (!mayRetry || usual === undefined) return undefined
  return (retryAfter ?? usual) * (1 + Math.random() / 2)
}

async function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(seconds * 1000, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
