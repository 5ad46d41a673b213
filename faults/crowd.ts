import { setImmediate } from 'node:timers/promises'
import type { FakeIssuer } from '../test/support/fake-issuer.ts'
import type { Ended, Running } from './program.ts'
import { complaints, firstLine, unless } from './verdict.ts'

/** Processes that were started at the same time. */
export interface Crowd {
  readonly ends: readonly Ended[]
  /** When each of them ended, in milliseconds since the start, in their order. */
  readonly times: readonly number[]
  /** Milliseconds until all had ended. */
  readonly elapsed: number
}

export async function crowdOf(size: number, start: () => Running): Promise<Crowd> {
  const started = performance.now()
  const times: number[] = []
  const ending: Promise<Ended>[] = []
  for (let at = 0; at < size; at++) {
    ending.push(start().ended.then((end) => (times.push(performance.now() - started), end)))
    // The provider lives in this process, and must not be silent for as long as hundreds of processes take to start.
    await setImmediate()
  }
  const ends = await Promise.all(ending)
  return { ends, times, elapsed: performance.now() - started }
}

/**
 * Milliseconds for which no process ended, from the first end on: where hundreds share two processors, all of them are
 * slow, but one that hangs is alone.
 */
export function longestSilence({ times }: Crowd): number {
  return Math.max(0, ...times.slice(1).map((time, at) => time - (times[at] ?? time)))
}

/** All have to print the same token, which the provider accepts, and nothing else. */
export function judgeCrowd({ ends }: Crowd, issuer: Pick<FakeIssuer, 'secrets' | 'accepts'>): string[] {
  const failures = ends.filter(({ exitCode }) => exitCode !== 0)
  const printed = new Set(ends.map(({ stdout }) => stdout))
  const [first = ''] = printed
  return [
    ...ends.flatMap((ended) => complaints(ended, issuer)),
    ...failures.map(
      ({ exitCode, stderr }) => `one of ${ends.length} ended with ${exitCode}: ${firstLine(stderr)}`,
    ),
    ...unless(printed.size === 1, `they printed ${printed.size} different tokens`),
    ...unless(issuer.accepts(first.trim()), 'the provider does not accept what they printed'),
  ]
}
