import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LogInPorts } from '../../src/core/log-in.ts'
import { logInByDevice, type DeviceRequest } from '../../src/core/log-in-device.ts'
import type { DeviceAnswer } from '../../src/core/ports.ts'
import { AuthError } from '../../src/errors.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { freshTokens, MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { described } from '../support/thrown.ts'

const CHOICE = {
  name: 'openai',
  issuer: 'https://auth.openai.com',
  clientId: undefined,
  scopes: undefined,
} as const
const AWAY = new AuthError('network', 'It is away.')

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: NOW * 1000 }))
afterEach(() => void vi.useRealTimers())

function seconds(): number {
  return Date.now() / 1000 - NOW
}

/** A sign-in with a device code over a login that is there, and all that happens, with the seconds at which it does. */
class Device {
  readonly memory = new MemoryPorts(sampleCredential())
  readonly before = this.memory.stored
  readonly stop = new AbortController()
  readonly takenOver = new AbortController()
  readonly polledAt: number[] = []
  readonly left: number[] = []

  constructor(...polls: (DeviceAnswer | Error)[]) {
    this.memory.polls = polls
    this.memory.before.set('poll', () => this.polledAt.push(seconds()))
  }

  /** How it ends, while the time goes on by itself. */
  async logIn(changes: Partial<DeviceRequest> = {}) {
    const request: DeviceRequest = {
      profile: PROFILE,
      provider: CHOICE,
      accounts: { workspaces: [], expected: undefined, mayReplace: async () => false },
      timeout: Infinity,
      onCode: ({ userCode }) => void this.memory.journal.push(`show ${userCode}`),
      onWait: (left) => void this.left.push(left),
      ...changes,
    }
    const ended = logInByDevice(request, this.#ports()).then(
      () => 'signed in' as const,
      (error: unknown) => (error instanceof AuthError ? described(error) : error),
    )
    await vi.runAllTimersAsync()
    return { ended: await ended, polledAt: this.polledAt, isKept: this.memory.stored === this.before }
  }

  #ports(): LogInPorts {
    const { journal, store, providers } = this.memory
    return {
      store,
      providers,
      clock: { now: () => Date.now() / 1000 },
      interruption: this.stop.signal,
      listener: { listen: unused },
      browser: { open: unused },
      signIns: {
        begin: (profile, method, port) => {
          journal.push(`announce ${profile} ${method} ${port}`)
          return { takenOver: this.takenOver.signal, end: () => void journal.push('announce the end') }
        },
        current: unused,
        takeOver: (matches) => {
          const other = { pid: 1, since: 0, method: 'browser', port: 1455 } as const
          const whose = [PROFILE, 'home'].filter((profile) => matches({ ...other, profile }))
          journal.push(`take over ${whose.join()}`)
          return true
        },
      },
      input: undefined,
      profileFlag: () => '',
    }
  }
}

function unused(): never {
  throw new Error('a device code needs no such thing')
}

function signedIn(polledAt: readonly number[]) {
  return { ended: 'signed in', polledAt, isKept: false }
}

function failed(polledAt: readonly number[], code: string, exitCode: number, message: string) {
  return { ended: expect.objectContaining({ code, exitCode, message }), polledAt, isKept: true }
}

describe('a sign-in with a device code', () => {
  test('shows the code, asks until it was used, and saves before it revokes the login before', async () => {
    const device = new Device('pending', 'pending', freshTokens())
    expect(await device.logIn()).toEqual(signedIn([5, 10, 15]))
    expect(device.memory.journal).toEqual([
      'open https://auth.openai.com',
      'lock',
      'reserve',
      'release',
      'unlock',
      'discover',
      `take over ${PROFILE}`,
      `announce ${PROFILE} device_code undefined`,
      'authorize device',
      'show BCDF-GHJKL',
      'poll',
      'poll',
      'poll',
      'lock',
      'save',
      'unlock',
      'open https://auth.openai.com',
      'discover',
      'revoke another login',
      'announce the end',
    ])
  })

  test('tells each second how long the code lasts', async () => {
    const device = new Device('pending', freshTokens())
    await device.logIn()
    expect(device.left).toEqual([900, 899, 898, 897, 896, 895, 894, 893, 892, 891])
  })

  test('tells how long the person has, where that is shorter', async () => {
    const device = new Device(freshTokens())
    await device.logIn({ timeout: 60 })
    expect(device.left).toEqual([60, 59, 58, 57, 56])
  })

  test('asks five seconds further apart each time it is told to slow down', async () => {
    const device = new Device('slow_down', 'pending', 'slow_down', 'pending', freshTokens())
    expect(await device.logIn()).toEqual(signedIn([5, 15, 25, 40, 55]))
  })

  test('goes on after passing faults, longer and longer apart, and then as before', async () => {
    const polls = [AWAY, AWAY, AWAY, AWAY, AWAY, 'pending', 'pending', freshTokens()] as const
    const device = new Device(...polls)
    expect(await device.logIn()).toEqual(signedIn([5, 15, 35, 70, 105, 140, 145, 150]))
  })

  test.each(['network', 'timeout', 'rate_limited', 'provider_failed', 'invalid_answer'] as const)(
    'goes on after %s',
    async (code) => {
      const device = new Device(new AuthError(code, 'It passes.'), freshTokens())
      expect(await device.logIn()).toEqual(signedIn([5, 15]))
    },
  )
})

describe('the login before stays when a sign-in with a device code', () => {
  test.each([
    ['login_denied', 'The sign-in was denied.'],
    ['login_timeout', 'The code has expired.'],
    ['login_failed', 'It did not work.'],
  ] as const)('ends with %s', async (code, message) => {
    const device = new Device('pending', new AuthError(code, message))
    expect(await device.logIn()).toEqual(failed([5, 10], code, 8, message))
    expect(device.memory.journal.at(-1)).toBe('announce the end')
  })

  test('asks as often when the clock is set back meanwhile', async () => {
    const device = new Device('pending', freshTokens())
    const onWait = vi.fn<DeviceRequest['onWait']>()
    onWait.mockImplementationOnce(() => void vi.setSystemTime((NOW - 3600) * 1000))
    expect(await device.logIn({ onWait })).toEqual(signedIn([-3595, -3590]))
  })

  const LATE = ['login_timeout', 8, 'Nobody used the code in time.'] as const

  test('lasts longer than the code', async () => {
    const device = new Device(...Array.from({ length: 200 }, () => 'pending' as const))
    const { ended, polledAt } = await device.logIn()
    expect(ended).toEqual(failed([], ...LATE).ended)
    expect({ polls: polledAt.length, last: polledAt.at(-1), now: seconds() }).toEqual({
      polls: 179,
      last: 895,
      now: 900,
    })
  })

  test('lasts longer than the person wants to wait', async () => {
    const device = new Device('pending', 'pending')
    expect(await device.logIn({ timeout: 12 })).toEqual(failed([5, 10], ...LATE))
    expect(seconds()).toBe(12)
  })

  test('has no time at all', async () => {
    expect(await new Device().logIn({ timeout: 0 })).toEqual(failed([], ...LATE))
  })

  test('is out of reach until the code ends', async () => {
    const device = new Device(...Array.from({ length: 200 }, () => AWAY))
    expect(await device.logIn({ timeout: 100 })).toEqual(failed([5, 15, 35, 70], ...LATE))
  })

  test('cannot even begin', async () => {
    const device = new Device()
    device.memory.faults.set('authorize device', new AuthError('login_failed', 'Not allowed.'))
    expect(await device.logIn()).toEqual(failed([], 'login_failed', 8, 'Not allowed.'))
    expect(device.memory.journal.slice(-2)).toEqual(['authorize device', 'announce the end'])
  })

  test('is of an account that nobody asked for', async () => {
    const device = new Device(freshTokens())
    const accounts = { workspaces: ['another'], expected: undefined, mayReplace: async () => true }
    const { ended, isKept } = await device.logIn({ accounts })
    expect({ ended, isKept }).toMatchObject({ ended: { code: 'wrong_account' }, isKept: true })
    expect(device.memory.journal.slice(-2)).toEqual(['revoke another login', 'announce the end'])
  })

  test.each([
    ['interrupted', 130, (device: Device) => device.stop],
    ['taken_over', 8, (device: Device) => device.takenOver],
  ] as const)('is %s, at once', async (code, exitCode, by) => {
    const device = new Device('pending', freshTokens())
    setTimeout(() => by(device).abort(new AuthError(code, 'It is over.')), 7500)
    expect(await device.logIn()).toEqual(failed([5], code, exitCode, 'It is over.'))
    expect(seconds()).toBe(7.5)
    expect(device.memory.journal.at(-1)).toBe('announce the end')
  })

  test('is interrupted while it asks', async () => {
    const device = new Device(AWAY)
    device.memory.before.set('poll', () => device.stop.abort(new AuthError('interrupted', 'Interrupted.')))
    expect(await device.logIn()).toEqual(failed([], 'interrupted', 130, 'Interrupted.'))
    expect(device.memory.signal?.aborted).toBe(true)
  })
})

test('a bug is no passing fault', async () => {
  const bug = new TypeError('x is not a function')
  expect(await new Device(bug).logIn()).toEqual({ ended: bug, polledAt: [5], isKept: true })
})
