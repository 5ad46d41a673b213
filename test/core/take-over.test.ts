import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Listening, OtherSignIn, SignIns } from '../../src/core/ports.ts'
import { listenOrTakeOver } from '../../src/core/take-over.ts'
import { AuthError } from '../../src/errors.ts'

const REQUEST = {
  profile: 'work',
  ports: [1455, 1457],
  redirectHost: 'localhost',
  listen: undefined,
} as const
const TAKEN = new AuthError('no_redirect_port', 'Both ports are in use.')

function listeningOn(port: number): Listening {
  return {
    port,
    redirectUri: `http://localhost:${port}/auth/callback`,
    redirect: () => Promise.reject(new Error('nobody waits here')),
    close: () => Promise.resolve(),
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

interface Other extends Pick<OtherSignIn, 'profile' | 'port'> {
  /** How many tries find its port in use after it was asked to end; after the last, nobody sees it any more. */
  readonly lingers: number
}

/** A machine on which these sign-ins wait, and other programs have these ports; with all that is done to the sign-ins. */
function machine(others: readonly Other[], foreign: readonly number[] = []) {
  const journal: string[] = []
  const waiting = others.map((other) => ({ ...other, pid: 4711, since: 0, method: 'browser' as const }))
  const asked = new Map<(typeof waiting)[number], number>()
  const triesOf = (other: (typeof waiting)[number]): number => asked.get(other) ?? 0
  const listen = async (): Promise<number> => {
    for (const [one, tries] of asked) asked.set(one, tries + 1)
    const taken = new Set([
      ...foreign,
      ...waiting.filter((one) => triesOf(one) <= one.lingers).map(({ port }) => port),
    ])
    const free = REQUEST.ports.find((port) => !taken.has(port))
    if (free === undefined) throw TAKEN
    return free
  }
  const signIns: SignIns = {
    begin: unused,
    current: unused,
    takeOver: (matches) => {
      for (const one of waiting.filter((each) => !asked.has(each) && matches(each))) {
        journal.push(`end ${one.profile}`)
        asked.set(one, 0)
      }
      return [...asked.keys()].some((one) => triesOf(one) === 0 || triesOf(one) < one.lingers)
    },
  }
  const listener = { listen: async (): Promise<Listening> => listeningOn(await listen()) }
  return { journal, ports: { listener, signIns } }
}

function unused(): never {
  throw new Error('it only takes over')
}

/** The port it ends with, or the failure, while the time goes on. */
async function ending(listening: Promise<Listening>): Promise<unknown> {
  const ended = listening.then(
    ({ port }) => port,
    (error: unknown) => error,
  )
  await vi.runAllTimersAsync()
  return ended
}

describe('listening for the redirect', () => {
  test('needs nobody to end where a port is free', async () => {
    const { journal, ports } = machine([{ profile: 'home', port: 1455, lingers: 0 }])
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: 1457,
      journal: [],
    })
  })

  test('ends the sign-in that waits for the same profile, also one that has no port', async () => {
    const { journal, ports } = machine([{ profile: 'work', port: undefined, lingers: 9 }])
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: 1455,
      journal: ['end work'],
    })
  })

  test('waits for the port of a sign-in that takes a moment to end', async () => {
    const { journal, ports } = machine([{ profile: 'work', port: 1455, lingers: 2 }], [1457])
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: 1455,
      journal: ['end work'],
    })
  })

  test.each([
    ['the first port', { foreign: [1457], others: [{ profile: 'home', port: 1455, lingers: 1 }] }, 1455],
    ['the second port', { foreign: [1455], others: [{ profile: 'home', port: 1457, lingers: 1 }] }, 1457],
  ])('ends the sign-in for another profile that has %s', async (_what, { foreign, others }, port) => {
    const { journal, ports } = machine(others, foreign)
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: port,
      journal: ['end home'],
    })
  })

  test('ends no more sign-ins than it needs ports', async () => {
    const others = [
      { profile: 'club', port: 1457, lingers: 1 },
      { profile: 'home', port: 1455, lingers: 2 },
      { profile: 'lab', port: 4000, lingers: 0 },
    ]
    const { journal, ports } = machine(others)
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: 1455,
      journal: ['end home'],
    })
  })

  test('ends another one when the port of the first goes to somebody else', async () => {
    const others = [{ profile: 'home', port: 1457, lingers: 1 }]
    const { journal, ports } = machine([{ profile: 'work', port: 1455, lingers: 1 }, ...others], [1455])
    expect({ ended: await ending(listenOrTakeOver(REQUEST, ports)), journal }).toEqual({
      ended: 1457,
      journal: ['end work', 'end home'],
    })
  })

  test('fails at once when the ports belong to anybody else', async () => {
    const { ports } = machine([{ profile: 'home', port: 4000, lingers: 0 }], [1455, 1457])
    await expect(listenOrTakeOver(REQUEST, ports)).rejects.toBe(TAKEN)
  })

  test('fails after three seconds when a sign-in does not end', async () => {
    const { ports } = machine([{ profile: 'home', port: 1455, lingers: Infinity }], [1457])
    const started = performance.now()
    expect(await ending(listenOrTakeOver(REQUEST, ports))).toBe(TAKEN)
    expect(performance.now() - started).toBe(3000)
  })

  test('takes nothing else for a port that is taken', async () => {
    const bug = new RangeError('65536 is no port')
    const { ports } = machine([{ profile: 'home', port: 1455, lingers: 0 }])
    const listener = { listen: () => Promise.reject(bug) }
    await expect(listenOrTakeOver(REQUEST, { ...ports, listener })).rejects.toBe(bug)
  })
})
