import { channel } from 'node:diagnostics_channel'

const traced = channel('codex-auth:trace')

/** Says what is being done, for `--debug`. The message must hold no secret, and of an address neither query nor fragment. */
export function trace(message: () => string): void {
  if (traced.hasSubscribers) traced.publish(message())
}

/** Hands every message on from now, with the milliseconds since this call. */
export function onTrace(listener: (message: string, elapsed: number) => void): void {
  const start = performance.now()
  traced.subscribe((message) => listener(String(message), performance.now() - start))
}
