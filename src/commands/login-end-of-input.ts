import { AuthError } from '../errors.ts'
import type { Input } from '../core/ports.ts'
import type { Session } from './context.ts'

/**
 * For `--cancel-on-eof`: the session whose sign-in ends when standard input does, as a program ends it that cannot send a
 * signal, or has itself been ended. A line that is pasted counts as ever; after the redirect, nothing is read any more.
 */
export function endingWithInput(session: Session): Session {
  const { input } = session
  if (input === undefined) return session
  const over = new AbortController()
  const end = (): void => over.abort(inputEnded())
  return {
    ...session,
    input: { ...input, lines: (signal) => untilEnd(input, signal, end) },
    interruption: AbortSignal.any([session.interruption, over.signal]),
  }
}

async function* untilEnd(input: Input, signal: AbortSignal, onEnd: () => void): AsyncGenerator<string> {
  yield* input.lines(signal)
  if (!signal.aborted) onEnd()
}

/** Where nothing that is typed counts: reads on only to notice the end, until the work is done. */
export async function watchingInput<T>(input: Input | undefined, work: () => Promise<T>): Promise<T> {
  const done = new AbortController()
  const reading = input && readAll(input, done.signal)
  try {
    return await work()
  } finally {
    done.abort()
    await reading
  }
}

async function readAll(input: Input, signal: AbortSignal): Promise<void> {
  const lines = input.lines(signal)[Symbol.asyncIterator]()
  while ((await lines.next()).done !== true);
}

function inputEnded(): AuthError {
  return new AuthError(
    'login_failed',
    'Standard input ended, and with it the sign-in, as --cancel-on-eof asks.',
  )
}
