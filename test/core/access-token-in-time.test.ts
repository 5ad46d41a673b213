import { describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import {
  accessTokenInTime,
  type BackgroundRun,
  type InTimePorts,
  type InTimeRequest,
} from '../../src/core/access-token-in-time.ts'
import type { Credential } from '../../src/core/credential.ts'
import { freshSecret, NOW, sampleCredential } from '../support/credentials.ts'
import { endingCredential, MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

type Refresh = (run: BackgroundRun<unknown>, memory: MemoryPorts) => Promise<void>

/** A call for a login, with what the refresh in the background does to it. */
function call(credential: Credential | undefined, refresh: Refresh, changes: Partial<InTimeRequest> = {}) {
  const memory = new MemoryPorts(credential)
  const runs: Omit<BackgroundRun<unknown>, 'settled' | 'signal'>[] = []
  const ports: InTimePorts = {
    store: memory.store,
    providers: memory.providers,
    clock: memory.clock,
    interruption: memory.interruption,
    environment: undefined,
    background: {
      run: async (run) => {
        const { profile, generation, within } = run
        runs.push({ profile, generation, within })
        await refresh(run, memory)
        return run.settled()
      },
    },
  }
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const request = { profile: PROFILE, minTtl: undefined, mayRefresh: true, within: 4, warn, ...changes }
  return { memory, runs, warnings, result: accessTokenInTime(request, ports) }
}

const never: Refresh = () => Promise.reject(new Error('nothing is to be refreshed'))
const refused: Refresh = () => Promise.reject(new AuthError('refresh_refused', 'No.'))
const tooLate: Refresh = () => Promise.reject(new AuthError('timeout', 'Too late.'))

describe('an access token in time', () => {
  test('is the stored one where it lives long enough', async () => {
    const { result, runs, memory } = call(sampleCredential(), never)
    expect(await result).toEqual({ stored: memory.stored, short: false })
    expect(runs).toEqual([])
  })

  test('is the stored one where nobody may refresh, or nobody can', async () => {
    const { result, memory } = call(endingCredential(), never, { mayRefresh: false })
    expect(await result).toEqual({ stored: memory.stored, short: false })
    const last = call(endingCredential(60, { refreshToken: undefined }), never, { minTtl: 120 })
    expect(await last.result).toEqual({ stored: last.memory.stored, short: true })
  })

  test('is not there yet with an API key that another process has saved', async () => {
    const login = endingCredential()
    const { result, warnings } = call(login, async ({ settled }, memory) => {
      memory.replace({ ...login, mintedApiKey: freshSecret('api_key') })
      expect(settled()).toBe(undefined)
      throw new AuthError('timeout', 'Too late.')
    })
    expect((await result).stored.credential.accessToken).toBe(login.accessToken)
    expect(warnings).toEqual(['Too late. The stored token still lives and is used.'])
  })

  test('is the new one that the refresh came to', async () => {
    const fresh = sampleCredential()
    const { result, runs, memory } = call(endingCredential(-60), async (_, ports) => ports.replace(fresh))
    expect(await result).toEqual({ stored: { credential: fresh, generation: 2 }, short: false })
    expect(runs).toEqual([{ profile: PROFILE, generation: 1, within: 4 }])
    expect(memory.journal).toEqual([])
  })

  test('is told to be short where it is', async () => {
    const fresh = sampleCredential()
    const { result } = call(endingCredential(-60), async (_, ports) => ports.replace(fresh), {
      minTtl: 7200,
    })
    expect(await result).toMatchObject({ short: true })
  })

  test('is the living one, with a warning, when time is over', async () => {
    const { result, warnings, memory } = call(endingCredential(60), tooLate)
    expect(await result).toEqual({ stored: memory.stored, short: false })
    expect(warnings).toEqual(['Too late. The stored token still lives and is used.'])
  })

  test('is none when time is over and it does not live', async () => {
    expect(await rejected(call(endingCredential(-60), tooLate).result)).toMatchObject({ code: 'timeout' })
  })

  test('is none for a refusal, even while the stored one lives', async () => {
    expect(await rejected(call(endingCredential(60), refused).result)).toMatchObject({
      code: 'refresh_refused',
    })
  })

  test('is none where nobody is signed in, or has signed out meanwhile', async () => {
    expect(await rejected(call(undefined, never).result)).toMatchObject({ code: 'not_logged_in' })
    const { result } = call(endingCredential(-60), async (_, ports) => ports.replace(undefined))
    expect(await rejected(result)).toMatchObject({ code: 'not_logged_in' })
  })
})

describe('while it waits, it does not take for an answer', () => {
  test.each([
    ['the login as it was', undefined],
    ['one that was refused', { refusal: { reason: 'revoked', at: NOW } }],
    ['one that has ended', { expiresAt: NOW - 1 }],
  ] as const)('%s', async (_, changes) => {
    const seen: unknown[] = []
    const { result } = call(endingCredential(-60), async (run, ports) => {
      if (changes !== undefined) ports.replace(sampleCredential(changes))
      seen.push(run.settled())
      throw new AuthError('timeout', 'Too late.')
    })
    await rejected(result)
    expect(seen).toEqual([undefined])
  })

  test('one that cannot be read just now', async () => {
    const seen: unknown[] = []
    const { result } = call(endingCredential(-60), async (run, ports) => {
      ports.faults.set('read', new AuthError('store_insecure', 'Not now.'))
      seen.push(run.settled())
      throw new AuthError('timeout', 'Too late.')
    })
    expect(await rejected(result)).toMatchObject({ code: 'timeout' })
    expect(seen).toEqual([undefined])
  })
})
