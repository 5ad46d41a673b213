import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { awaitRedirect, type AwaitedRedirect } from '../../src/core/await-redirect.ts'
import type { Input, Listening, Redirect } from '../../src/core/ports.ts'
import { freshSecret } from '../support/credentials.ts'
import { rejected } from '../support/thrown.ts'

const AUTHORIZATION = {
  url: 'https://auth.example.com/authorize',
  state: 'the-state',
  redirectUri: 'http://localhost:1455/auth/callback',
  codeVerifier: freshSecret('code_verifier'),
  nonce: undefined,
  issuerInRedirect: false,
}
const GOOD = 'http://localhost:1455/auth/callback?code=pasted&state=the-state'
const OTHER = 'http://localhost:1455/auth/callback?code=pasted&state=another'
const AT_THE_BROWSER: Redirect = {
  parameters: new URLSearchParams('code=from-the-browser&state=the-state'),
  answer: () => Promise.reject(new Error('nobody is answered here')),
}

interface World extends Partial<Pick<AwaitedRedirect, 'asks' | 'timeout'>> {
  /** What is pasted, one line after the other; then the input ends, or stays open. */
  readonly pasted?: readonly string[]
  readonly staysOpen?: boolean
  /** Comes after what is pasted. `none`: nothing can listen. */
  readonly browser?: 'comes' | 'never comes' | 'none'
  readonly signal?: AbortSignal
  readonly issuerInRedirect?: boolean
}

/** Which code came, how it may be answered, and what was told until then. */
async function awaited(world: World) {
  const told: string[] = []
  const read = new AbortController()
  const redirect = await awaitRedirect(
    { ...AUTHORIZATION, issuerInRedirect: world.issuerInRedirect ?? false },
    {
      listening: world.browser === 'none' ? undefined : listening(world, once(read.signal, 'abort'), told),
      input: world.pasted && input(world, () => read.abort()),
      asks: world.asks ?? false,
      timeout: world.timeout ?? 60,
      onReady: () => void told.push('ready'),
      onPasted: (kind) => void told.push(kind),
    },
    world.signal ?? new AbortController().signal,
  )
  return { code: redirect.parameters.get('code'), state: redirect.parameters.get('state'), told, redirect }
}

function listening({ browser, pasted }: World, everythingRead: Promise<unknown>, told: string[]): Listening {
  return {
    port: 1455,
    redirectUri: AUTHORIZATION.redirectUri,
    redirect: async (state, signal) => {
      told.push(`listen for ${state}`)
      if (browser !== 'comes') return untilAborted(signal)
      if (pasted !== undefined) await everythingRead
      return AT_THE_BROWSER
    },
    close: () => Promise.reject(new Error('it is not closed here')),
  }
}

function input({ pasted = [], staysOpen }: World, read: () => void): Input {
  return {
    isTerminal: true,
    async *lines(signal) {
      yield* pasted
      read()
      if (staysOpen) await untilAborted(signal).catch(() => undefined)
    },
    ask: () => Promise.reject(new Error('nothing is asked here')),
    secret: () => Promise.reject(new Error('nothing is asked here')),
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}

const READY = ['listen for the-state', 'ready']

describe('the redirect', () => {
  test('may come to the browser while nobody can type', async () => {
    const { redirect, told } = await awaited({ browser: 'comes' })
    expect({ redirect, told }).toEqual({ redirect: AT_THE_BROWSER, told: READY })
  })

  test('may be pasted while the browser never comes, and then no page is answered', async () => {
    const { redirect, ...rest } = await awaited({ browser: 'never comes', pasted: [GOOD], staysOpen: true })
    expect(rest).toEqual({ code: 'pasted', state: 'the-state', told: READY })
    expect(await redirect.answer({ kind: 'failed', message: '', nextStep: '' })).toBeUndefined()
  })

  test('may be pasted where nothing listens', async () => {
    expect(await awaited({ browser: 'none', pasted: [GOOD] })).toMatchObject({
      code: 'pasted',
      told: ['ready'],
    })
  })

  test('can come no way any more where nothing listens and nothing more can be pasted', async () => {
    const ended = awaited({ browser: 'none', pasted: [OTHER] })
    await expect(ended).rejects.toMatchObject({
      code: 'login_failed',
      message: 'Nothing listens for the redirect, and nothing more can be pasted.',
    })
  })

  test('comes to the browser after the end of what was pasted', async () => {
    expect(await awaited({ browser: 'comes', pasted: ['', OTHER, 'garbage!'] })).toMatchObject({
      code: 'from-the-browser',
      told: [...READY, 'other_attempt', 'unreadable'],
    })
  })

  test.each(['pasted#the-state', 'code=pasted&state=the-state', 'pasted-alone'])(
    'must be pasted whole where the provider names itself in it: not as %s',
    async (line) => {
      const whole = `${GOOD}&iss=https%3A%2F%2Fauth.example.com`
      const world = { browser: 'never comes', asks: true, issuerInRedirect: true } as const
      expect(await awaited({ ...world, pasted: [line, 'y', whole] })).toMatchObject({
        code: 'pasted',
        told: [...READY, 'without_issuer', 'unreadable'],
      })
    },
  )

  test('counts once it is pasted right, after whatever was pasted wrong', async () => {
    const pasted = [
      '',
      OTHER,
      'https://auth.example.com/authorize?code_challenge=abc&state=the-state',
      'garbage!',
      GOOD,
      OTHER,
    ]
    expect(await awaited({ browser: 'never comes', pasted })).toMatchObject({
      code: 'pasted',
      told: [...READY, 'other_attempt', 'authorization_address', 'unreadable'],
    })
  })
})

describe('a code without its state', () => {
  test.each(['y', 'Y', 'yes', ' YES '])('counts when a person vouches for it with %j', async (answer) => {
    expect(await awaited({ asks: true, pasted: ['the-code', answer], staysOpen: true })).toMatchObject({
      code: 'the-code',
      state: 'the-state',
      told: [...READY, 'bare_code'],
    })
  })

  test.each(['', 'n', 'N', ' no'])('does not count after %j, which needs no answer', async (answer) => {
    expect(await awaited({ asks: true, browser: 'comes', pasted: ['the-code', answer, 'y'] })).toMatchObject({
      code: 'from-the-browser',
      // The late `y` answers nothing.
      told: [...READY, 'bare_code', 'unreadable'],
    })
  })

  test('does not count when something else is pasted instead of an answer', async () => {
    const pasted = ['the-code', 'garbage!', 'y', 'another-code', GOOD]
    expect(await awaited({ asks: true, pasted })).toMatchObject({
      code: 'pasted',
      told: [...READY, 'bare_code', 'unreadable', 'unreadable', 'bare_code'],
    })
  })

  test('is the last one that was pasted', async () => {
    expect(await awaited({ asks: true, pasted: ['one-code', 'two-code', 'y'] })).toMatchObject({
      code: 'two-code',
    })
  })

  test('never counts where nobody can be asked', async () => {
    expect(await awaited({ browser: 'comes', pasted: ['the-code', 'y'] })).toMatchObject({
      code: 'from-the-browser',
      told: [...READY, 'bare_code', 'unreadable'],
    })
  })
})

describe('the wait', () => {
  const LATE = { code: 'login_timeout', exitCode: 8, message: 'Nobody finished the sign-in within 0 s.' }

  test.each([
    ['nobody types', {}],
    ['the input has ended', { pasted: ['garbage!'] }],
    ['the input stays open', { pasted: ['garbage!'], staysOpen: true }],
    ['nothing listens', { browser: 'none', pasted: [], staysOpen: true }],
  ] as const)('ends in time when %s', async (_what, world) => {
    expect(await rejected(awaited({ browser: 'never comes', ...world, timeout: 0.01 }))).toMatchObject(LATE)
  })

  test('ends with the signal', async () => {
    const reason = new Error('taken over')
    const stop = new AbortController()
    const waiting = awaited({ browser: 'never comes', pasted: [], staysOpen: true, signal: stop.signal })
    stop.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(awaited({ signal: stop.signal, pasted: [] })).rejects.toBe(reason)
  })

  test('fails as the listener does', async () => {
    const fault = new TypeError('a bug')
    const broken = { ...listening({}, Promise.resolve(), []), redirect: () => Promise.reject(fault) }
    const waiting = awaitRedirect(
      AUTHORIZATION,
      {
        listening: broken,
        input: undefined,
        asks: false,
        timeout: 60,
        onReady: () => {},
        onPasted: () => {},
      },
      new AbortController().signal,
    )
    await expect(waiting).rejects.toBe(fault)
  })
})
