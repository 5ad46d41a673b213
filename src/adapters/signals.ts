import { AuthError } from '../errors.ts'

/**
 * From here on, SIGINT, SIGTERM and SIGHUP do not end the process but abort the returned signal, with an `interrupted`
 * or `terminated` error as its reason: whoever waits ends at once, whoever is saving an answer saves it first.
 */
export function holdBackSignals(): AbortSignal {
  const controller = new AbortController()
  // Not `once`: the lock's package ends the process when it finds itself the only listener.
  process.on('SIGINT', () => controller.abort(new AuthError('interrupted', 'Interrupted.')))
  for (const name of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort(new AuthError('terminated', `Ended by ${name}.`)))
  }
  return controller.signal
}
