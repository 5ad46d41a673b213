import { endedByCaller } from './interruption.ts'

interface Flight<T> {
  readonly result: Promise<T>
  readonly stop: AbortController
  /** How many callers wait for it. */
  waiting: number
}

export type Share<T> = (
  key: string,
  signal: AbortSignal | undefined,
  work: (interruption: AbortSignal) => Promise<T>,
) => Promise<T>

/**
 * Callers of this process that want the same at the same time share the work for it. Each one's signal ends only its own
 * wait; the last one's ends the work, and that caller waits until the work has come to an end: a process that goes away
 * right after must not take with it what the work had yet to save.
 */
export function sharing<T>(): Share<T> {
  const flights = new Map<string, Flight<T>>()
  return (key, signal, work) => {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const flight = flights.get(key) ?? begin(flights, key, work)
    return join(flight, signal)
  }
}

function begin<T>(
  flights: Map<string, Flight<T>>,
  key: string,
  work: (interruption: AbortSignal) => Promise<T>,
): Flight<T> {
  const stop = new AbortController()
  const forget = (): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }
  const flight: Flight<T> = { result: work(stop.signal).finally(forget), stop, waiting: 0 }
  // Whoever comes after the end was asked for begins anew.
  stop.signal.addEventListener('abort', forget, { once: true })
  flights.set(key, flight)
  return flight
}

async function join<T>(flight: Flight<T>, signal: AbortSignal | undefined): Promise<T> {
  flight.waiting++
  if (signal === undefined) return flight.result
  let leave: (() => void) | undefined
  const left = new Promise<'left'>((resolve) => {
    leave = () => {
      flight.waiting--
      resolve('left')
    }
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    // By the time this goes on, all who share the signal have left.
    const first = await Promise.race([flight.result.then((value) => ({ value })), left])
    if (first !== 'left') return first.value
    if (flight.waiting === 0) await end(flight)
    throw signal.reason
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave)
  }
}

/** @throws what the work throws, but for the end that was asked for: an answer that could not be saved must be heard of. */
async function end<T>({ stop, result }: Flight<T>): Promise<void> {
  stop.abort(endedByCaller())
  try {
    await result
  } catch (error) {
    if (error !== stop.signal.reason) throw error
  }
}
