import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { request } from '../../../src/adapters/provider/http.ts'
import { PassingFault, type PassingFaultOptions } from '../../../src/adapters/provider/passing-fault.ts'
import { retrying } from '../../../src/adapters/provider/retry.ts'
import { AuthError } from '../../../src/errors.ts'

const never = new AbortController().signal
const unreached: PassingFaultOptions = { mayRetry: true }

/** Fails in the given ways, then succeeds; counts. */
function attempts(...failures: readonly PassingFaultOptions[]) {
  const left = [...failures]
  const counted = {
    made: 0,
    attempt: async (): Promise<string> => {
      counted.made++
      const failure = left.shift()
      if (failure !== undefined) throw new PassingFault('network', 'no way through', failure)
      return 'an answer'
    },
  }
  return counted
}

describe('repeating an attempt', () => {
  it('goes on after failures that spent nothing', async () => {
    const tries = attempts(unreached, unreached)
    expect(await retrying(tries.attempt, { within: 10, signal: never })).toBe('an answer')
    expect(tries.made).toBe(3)
  })

  it('gives up after the fourth', async () => {
    const tries = attempts(
      unreached,
      { ...unreached, retryAfter: 0 },
      { ...unreached, retryAfter: 0 },
      unreached,
    )
    await expect(retrying(tries.attempt, { within: 10, signal: never })).rejects.toThrow('no way through')
    expect(tries.made).toBe(4)
  })

  it('never repeats what the server may have acted on', async () => {
    const tries = attempts({ mayRetry: false })
    await expect(retrying(tries.attempt, { within: 10, signal: never })).rejects.toThrow('no way through')
    expect(tries.made).toBe(1)
  })

  it('never repeats what is no passing fault', async () => {
    let made = 0
    const attempt = async (): Promise<never> => {
      made++
      throw new AuthError('refresh_refused', 'no')
    }
    await expect(retrying(attempt, { within: 10, signal: never })).rejects.toThrow('no')
    expect(made).toBe(1)
  })

  it('makes one attempt when it has no time', async () => {
    const tries = attempts({ ...unreached, retryAfter: 0 })
    await expect(retrying(tries.attempt, { within: 0, signal: never })).rejects.toThrow('no way through')
    expect(tries.made).toBe(1)
  })

  it('does not wait for a server that asks for more time than there is', async () => {
    const start = performance.now()
    const tries = attempts({ ...unreached, retryAfter: 60 })
    await expect(retrying(tries.attempt, { within: 10, signal: never })).rejects.toThrow('no way through')
    expect({ made: tries.made, atOnce: performance.now() - start < 1000 }).toEqual({ made: 1, atOnce: true })
  })

  it('waits at least as long as the server asks', async () => {
    const start = performance.now()
    const tries = attempts({ ...unreached, retryAfter: 0.6 })
    await retrying(tries.attempt, { within: 10, signal: never })
    expect(performance.now() - start).toBeGreaterThanOrEqual(595)
  })

  it('ends a pause at once when a signal comes, with its reason', async () => {
    const stop = new AbortController()
    const interrupted = new AuthError('interrupted', 'Interrupted.')
    const tries = attempts({ ...unreached, retryAfter: 5 })
    const pausing = retrying(tries.attempt, { within: 60, signal: stop.signal })
    stop.abort(interrupted)
    await expect(pausing).rejects.toBe(interrupted)
  })

  it('reaches a server that starts in the meantime', async () => {
    const server = createServer((_incoming, outgoing) => outgoing.end('{}')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    let failures = 0
    const attempt = async () => {
      try {
        return await request(`http://127.0.0.1:${port}/`, { method: 'GET', headers: {} })
      } catch (error) {
        failures++
        if (!server.listening) server.listen(port, '127.0.0.1')
        throw error
      }
    }
    const answer = await retrying(attempt, { within: 10, signal: never })
    server.close()
    expect({ failures, status: answer.status }).toEqual({ failures: 1, status: 200 })
  })
})
