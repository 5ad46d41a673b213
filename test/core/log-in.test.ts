import { describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import type { Credential } from '../../src/core/credential.ts'
import { logIn, type LogInPorts, type LogInRequest } from '../../src/core/log-in.ts'
import type { Input, SignInResult } from '../../src/core/ports.ts'
import { NOW, sampleCredential } from '../support/credentials.ts'
import { MemoryPorts, PROFILE } from '../support/memory-ports.ts'
import { rejected } from '../support/thrown.ts'

const CHOICE = {
  name: 'openai',
  issuer: 'https://auth.openai.com',
  clientId: undefined,
  scopes: undefined,
} as const
const ADDRESS = 'https://auth.openai.com/oauth/authorize?state=the-state'

interface World {
  readonly memory: MemoryPorts
  readonly ports: LogInPorts
  /** What the browser was shown. */
  readonly shown: SignInResult[]
  /** Aborted when another sign-in takes this one's place. */
  readonly takenOver: AbortController
}

/** A sign-in of another process. */
const OTHER = { pid: 4711, since: NOW - 30, method: 'browser', profile: 'home', port: 9 } as const
const ANYBODY = { workspaces: [], expected: undefined, mayReplace: async () => false }

/** A person who signs in at once; every step of it stands in the memory's journal. */
function world(before: Credential | undefined, changes: Partial<LogInPorts> = {}): World {
  const memory = new MemoryPorts(before)
  const { journal, store, providers, clock, interruption } = memory
  const shown: SignInResult[] = []
  const takenOver = new AbortController()
  const answer = (result: SignInResult): Promise<void> => {
    journal.push(`show ${result.kind}`)
    shown.push(result)
    return Promise.resolve()
  }
  const ports: LogInPorts = {
    store,
    providers,
    clock,
    interruption,
    listener: {
      listen: ({ ports: wanted, redirectHost }) => {
        journal.push(`listen ${redirectHost}:${wanted.join(',')}`)
        return Promise.resolve({
          port: 1455,
          redirectUri: `http://${redirectHost}:1455/auth/callback`,
          redirect: (state) => {
            journal.push(`await ${state}`)
            return Promise.resolve({ parameters: new URLSearchParams('code=the-code'), answer })
          },
          close: () => Promise.resolve(void journal.push('close')),
        })
      },
    },
    browser: { open: (url) => Promise.resolve(journal.push(`open browser ${url === ADDRESS}`) > 0) },
    signIns: {
      begin: (profile, method, port) => {
        journal.push(`announce ${profile} ${method} ${port}`)
        const { signal } = takenOver
        return { takenOver: signal, end: () => void journal.push('announce the end') }
      },
      current: () => undefined,
      takeOver: (matches) => {
        journal.push(`take over ${matches({ ...OTHER, profile: PROFILE }) ? 'the profile' : 'the port'}`)
        return false
      },
    },
    input: undefined,
    profileFlag: (profile) => ` --profile ${profile}`,
    ...changes,
  }
  return { memory, ports, shown, takenOver }
}

function signIn({ memory, ports }: World, changes: Partial<LogInRequest> = {}) {
  const request: LogInRequest = {
    profile: PROFILE,
    provider: CHOICE,
    ports: [1455, 1457],
    redirectHost: 'localhost',
    listen: undefined,
    openBrowser: true,
    asks: false,
    accounts: ANYBODY,
    timeout: 60,
    onAddress: (url, port) => void memory.journal.push(`tell address ${url === ADDRESS} ${port}`),
    onNoBrowser: () => void memory.journal.push('tell that no browser could be started'),
    onNoListener: ({ message }) => void memory.journal.push(`tell: ${message}`),
    onPasted: (kind) => void memory.journal.push(`tell of ${kind}`),
    ...changes,
  }
  return logIn(request, ports)
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}

/** The same, with a person who never comes to the browser. */
function waiting(it: World): World {
  const { listener } = it.ports
  const listen: typeof listener.listen = async (options) => ({
    ...(await listener.listen(options)),
    redirect: (state, signal) => {
      it.memory.journal.push(`await ${state}`)
      return untilAborted(signal)
    },
  })
  return { ...it, ports: { ...it.ports, listener: { listen } } }
}

/** Somebody who pastes this. */
function pasting(line: string): Input {
  return {
    isTerminal: true,
    async *lines() {
      yield line
    },
    ask: () => Promise.reject(new Error('nothing is asked here')),
    secret: () => Promise.reject(new Error('nothing is asked here')),
  }
}

const PREPARED = [
  'open https://auth.openai.com',
  'lock',
  'reserve',
  'release',
  'unlock',
  'discover',
  'take over the profile',
  'listen localhost:1455,1457',
]
/** Nobody is ending already, and nobody of ours has either port. */
const NO_PORT = ['take over the port', 'take over the port', 'take over the port']
const ARRIVED = [
  ...PREPARED,
  `announce ${PROFILE} browser 1455`,
  'await the-state',
  'tell address true 1455',
  'open browser true',
  'exchange the-code',
]
const OVER = ['announce the end', 'close']

describe('logging in', () => {
  test('saves what the person brought before it tells anybody, and revokes the login before only then', async () => {
    const it = world(sampleCredential())
    const { previous, stored } = await signIn(it)
    expect(it.memory.journal).toEqual([
      ...ARRIVED,
      'lock',
      'save',
      'unlock',
      'show signed_in',
      'open https://auth.openai.com',
      'discover',
      'revoke another login',
      ...OVER,
    ])
    expect({ previous, stored }).toEqual({ previous: { kind: 'revoked' }, stored: it.memory.stored })
    expect(it.shown).toEqual([
      {
        kind: 'signed_in',
        account: stored.credential.account,
        profile: PROFILE,
        issuer: 'https://auth.openai.com',
      },
    ])
  })

  test('keeps what the tokens tell, and what was asked for where they tell nothing', async () => {
    const it = world(undefined)
    const { outcome } = it.memory
    if (outcome.kind !== 'tokens') throw new Error('there are no tokens')
    const tokens = { ...outcome.tokens, scopes: undefined, account: undefined, clockSkew: 120 }
    it.memory.outcome = { kind: 'tokens', tokens }
    expect(await signIn(it)).toEqual({
      previous: undefined,
      stored: {
        generation: 1,
        credential: {
          ...tokens,
          method: 'chatgpt',
          provider: 'openai',
          issuer: 'https://auth.openai.com',
          clientId: 'app_0123456789',
          obtainedAt: NOW,
          refreshedAt: undefined,
          scopes: ['openid', 'offline_access'],
          account: { email: undefined, id: undefined, userId: undefined, plan: undefined },
          refusal: undefined,
        },
      },
    })
  })

  test('only tells the address when no browser is wanted', async () => {
    const it = world(undefined)
    await signIn(it, { openBrowser: false })
    expect(it.memory.journal).toEqual([
      ...ARRIVED.filter((step) => step !== 'open browser true'),
      'lock',
      'save',
      'unlock',
      'show signed_in',
      ...OVER,
    ])
  })

  test('tells when no browser could be started, and goes on', async () => {
    const it = world(undefined, { browser: { open: () => Promise.resolve(false) } })
    await signIn(it)
    expect(it.memory.journal).toContain('tell that no browser could be started')
  })

  test('is finished by a paste as well, which no page answers', async () => {
    const it = waiting(world(undefined, { input: pasting('code=the-code&state=the-state') }))
    await signIn(it)
    expect(it.memory.journal).toEqual([...ARRIVED, 'lock', 'save', 'unlock', ...OVER])
    expect(it.shown).toEqual([])
  })

  test('needs no port where a person can paste', async () => {
    const none = new AuthError('no_redirect_port', 'No port is free.')
    const it = world(undefined, {
      listener: { listen: () => Promise.reject(none) },
      input: pasting('code=the-code&state=the-state'),
    })
    await signIn(it, { asks: true })
    expect(it.memory.journal).toEqual([
      ...PREPARED.slice(0, -1),
      ...NO_PORT,
      'tell: No port is free.',
      `announce ${PROFILE} browser undefined`,
      'tell address true undefined',
      'open browser true',
      'exchange the-code',
      'lock',
      'save',
      'unlock',
      'announce the end',
    ])
  })

  test('sets aside what cannot be read, which nobody can revoke', async () => {
    const it = world(sampleCredential())
    it.memory.faults.set('read', new AuthError('store_corrupt', 'Damaged.'))
    expect(await signIn(it)).toMatchObject({ previous: undefined })
  })

  test('does not revoke the new login when its refresh token is the old one', async () => {
    const it = world(sampleCredential())
    const { outcome, stored } = it.memory
    if (outcome.kind !== 'tokens') throw new Error('there are no tokens')
    const tokens = { ...outcome.tokens, refreshToken: stored?.credential.refreshToken }
    it.memory.outcome = { kind: 'tokens', tokens }
    expect(await signIn(it)).toMatchObject({ previous: undefined })
  })

  test('revokes what another process saved while the person was signing in', async () => {
    const it = world(undefined)
    it.memory.before.set('exchange', () => it.memory.replace(sampleCredential()))
    expect(await signIn(it)).toMatchObject({ previous: { kind: 'revoked' } })
  })

  test('is a success when the revocation of the login before is not', async () => {
    const it = world(sampleCredential())
    const error = new AuthError('network', 'It is away.')
    it.memory.faults.set('revoke', error)
    expect(await signIn(it)).toMatchObject({ previous: { kind: 'unconfirmed', error } })
    expect(it.shown.map(({ kind }) => kind)).toEqual(['signed_in'])
  })
})

describe('the login before stays, and nothing is left open,', () => {
  const full = new AuthError('store_unwritable', 'The disk is full.')

  test.each([
    ['the profile is busy', 'lock', PREPARED.slice(0, 1)],
    ['the disk is full already', 'reserve', [...PREPARED.slice(0, 3), 'unlock']],
    ['the provider cannot be asked what it is', 'discover', PREPARED.slice(0, -2)],
    ['the code is not accepted', 'exchange', [...ARRIVED, 'show failed', ...OVER]],
    ['the disk is full by then', 'save', [...ARRIVED, 'lock', 'save', 'unlock', 'show failed', ...OVER]],
  ] as const)('when %s', async (_, step, journal) => {
    const it = world(sampleCredential())
    const { stored } = it.memory
    it.memory.faults.set(step, full)
    expect(await rejected(signIn(it))).toMatchObject({ code: 'store_unwritable' })
    expect(it.memory.stored).toEqual(stored)
    expect(it.memory.journal).toEqual(journal)
    const failed: SignInResult = {
      kind: 'failed',
      reason: 'store',
      message: 'The disk is full.',
      nextStep: 'free the disk or mend the permissions, and try again',
    }
    expect(it.shown).toEqual(journal.filter((each) => each === 'show failed').map(() => failed))
  })

  test.each([
    ['login_denied', 'denied'],
    ['wrong_account', 'wrong_account'],
    ['timeout', 'provider'],
    ['key_missing', 'store'],
    ['login_failed', undefined],
  ] as const)('the page is told the reason for %s: %s', async (code, reason) => {
    const it = world(sampleCredential())
    it.memory.faults.set('exchange', new AuthError(code, 'It failed.'))
    await rejected(signIn(it))
    expect(it.shown).toEqual([
      { kind: 'failed', ...(reason && { reason }), message: 'It failed.', nextStep: expect.any(String) },
    ])
  })

  test('when no port is free', async () => {
    const none = new AuthError('no_redirect_port', 'No port is free.')
    const it = world(sampleCredential(), { listener: { listen: () => Promise.reject(none) } })
    expect(await rejected(signIn(it))).toMatchObject({ code: 'no_redirect_port', exitCode: 8 })
    expect(it.memory.journal).toEqual([...PREPARED.slice(0, -1), ...NO_PORT])
  })

  test('when it cannot be announced', async () => {
    const signIns = {
      begin: () => {
        throw full
      },
      current: () => undefined,
      takeOver: () => false,
    }
    const it = world(sampleCredential(), { signIns })
    expect(await rejected(signIn(it))).toMatchObject({ code: 'store_unwritable' })
    const steps = PREPARED.filter((step) => step !== 'take over the profile')
    expect(it.memory.journal).toEqual([...steps, 'close'])
  })

  test('when nobody comes in time', async () => {
    const it = waiting(world(sampleCredential()))
    expect(await rejected(signIn(it, { timeout: 0.01 }))).toMatchObject({
      code: 'login_timeout',
      exitCode: 8,
    })
    expect(it.memory.journal.slice(-2)).toEqual(OVER)
    expect(it.shown).toEqual([])
  })

  test('when another sign-in takes its place', async () => {
    const it = waiting(world(sampleCredential()))
    const { stored } = it.memory
    const late = signIn(it, {
      onAddress: () => it.takenOver.abort(new AuthError('taken_over', 'Another one was started.')),
    })
    expect(await rejected(late)).toEqual({
      code: 'taken_over',
      exitCode: 8,
      message: 'Another one was started.',
      nextStep: 'finish the other sign-in',
    })
    expect({ stored: it.memory.stored, shown: it.shown }).toEqual({ stored, shown: [] })
    expect(it.memory.journal.slice(-2)).toEqual(OVER)
  })

  test('when there is a bug, of which the browser shows no more than that', async () => {
    const it = world(sampleCredential())
    const bug = new TypeError('undefined is not a function')
    it.memory.faults.set('exchange', bug)
    await expect(signIn(it)).rejects.toBe(bug)
    expect(it.shown).toEqual([
      {
        kind: 'failed',
        message: 'Something unforeseen happened. The program says more.',
        nextStep: 'codex-auth login --profile work',
      },
    ])
    expect(it.memory.journal).toEqual([...ARRIVED, 'show failed', ...OVER])
  })
})
