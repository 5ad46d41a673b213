import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { failedInWords, withoutOwners } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import {
  keyboard,
  openPipe,
  piped,
  temporaryHome,
  type FakeStdin,
  type Home,
  type RunOptions,
  type Running,
} from '../support/fake-surroundings.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'
import { signIn } from '../support/sign-in.ts'

const ADDRESS = /^http\S+$/m
const SHOWN = 'Sign in at this address:\n\nADDRESS\n\n'
const HINT = 'If the browser cannot come back here, paste the address it ends on.\n'
const WAITING = 'Waiting up to 5 min for the sign-in. Ctrl-C ends it and changes nothing.\n'
const SIGNED_IN = 'Signed in as alice@example.com (plus), profile "default".\n'

const OTHER_ATTEMPT =
  'That address belongs to an earlier attempt, or to another program, and not to this sign-in. Still waiting.\n'
const SIGN_IN_ADDRESS =
  'That is the address to sign in at. Open it, sign in, and paste the address that comes after. Still waiting.\n'
const NO_CODE = 'There is no code in that. Paste the whole address the browser ended on. Still waiting.\n'
const NOT_ALONE =
  'A code alone is not taken from a pipe: send the whole address, or code#state. Still waiting.\n'
const IS_IT_YOURS = 'That is a code without its state. Is it from the sign-in you just started? [y/N]\n'

let issuer: FakeIssuer
let home: Home
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --no-browser --issuer ${issuer.issuer} --port 0`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

interface Waiting extends Running {
  readonly address: string
  paste(line: string): void
}

/** A sign-in that has shown its address. */
async function waiting(stdin: FakeStdin, options: RunOptions = {}, words = login): Promise<Waiting> {
  const running = home.start(words, { ...options, stdin })
  const [address] = await running.says(ADDRESS)
  return { ...running, address, paste: (line) => void stdin.write(`${line}\n`) }
}

const atTerminal = (): Promise<Waiting> => waiting(keyboard(), { terminal: true })

/** Where the browser ends that cannot reach this machine: the address in its bar. */
async function redirectFrom(address: string): Promise<URL> {
  const answer = await fetch(address, { redirect: 'manual' })
  return new URL(answer.headers.get('location') ?? '')
}

async function end({ ended, address }: Waiting) {
  const { stderr, ...rest } = await ended
  return { ...rest, stderr: withoutOwners(stderr.replace(address, 'ADDRESS')) }
}

function codeOf(redirect: URL): string {
  return redirect.searchParams.get('code') ?? ''
}

const FORMS: [string, (redirect: URL) => string][] = [
  ['the whole address', ({ href }) => href],
  ['the query', ({ search }) => search.slice(1)],
  ['the query with its mark', ({ search }) => search],
  ['code#state', (redirect) => `${codeOf(redirect)}#${redirect.searchParams.get('state')}`],
]

describe('a pasted redirect finishes the sign-in', () => {
  test.each(FORMS)('from a pipe, as %s', async (_what, form) => {
    const stdin = openPipe()
    const it = await waiting(stdin)
    it.paste(form(await redirectFrom(it.address)))
    expect(await end(it)).toEqual({ exitCode: 0, stdout: '', stderr: `${SHOWN}${WAITING}${SIGNED_IN}` })
    expect({ exchanges: issuer.exchanges, live: issuer.accepts(home.kept()?.refreshToken ?? '') }).toEqual({
      exchanges: 1,
      live: true,
    })
    // Nobody reads on, so an open pipe keeps nothing waiting.
    expect([stdin.isPaused(), stdin.listenerCount('data')]).toEqual([true, 0])
  })

  test.each(FORMS)('at a terminal, as %s', async (_what, form) => {
    const it = await atTerminal()
    it.paste(form(await redirectFrom(it.address)))
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${SHOWN}${HINT}${WAITING}${SIGNED_IN}`,
    })
  })

  test('and is not read any further when the browser comes first', async () => {
    const stdin = openPipe()
    const it = await waiting(stdin)
    await signIn(it.address)
    expect(await end(it)).toMatchObject({ exitCode: 0 })
    expect([stdin.isPaused(), stdin.listenerCount('data')]).toEqual([true, 0])
  })

  test('and says no as well', async () => {
    await home.keep(credentialOf(issuer.issueLogin()))
    const before = home.kept()
    issuer.behaviour.authorizationError = { error: 'access_denied', description: 'Not today.' }
    const it = await waiting(openPipe())
    const redirect = await redirectFrom(it.address)
    expect(redirect.searchParams.get('error')).toBe('access_denied')
    it.paste(redirect.href)
    const { stderr, ...rest } = await end(it)
    expect({ ...rest, stderr: stderr.replace(`${SHOWN}${WAITING}`, '') }).toEqual(
      failedInWords({
        exit_code: 8,
        message: 'The sign-in was denied: Not today.',
        next_step: 'codex-auth login',
      }),
    )
    expect(home.kept()).toEqual(before)
  })

  test('also at an issuer that is told apart by what its redirect says', async () => {
    issuer.behaviour.redirectParameters = { iss: 'https://elsewhere.example' }
    const it = await waiting(openPipe())
    it.paste((await redirectFrom(it.address)).href)
    expect(await it.ended).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('is not to be trusted'),
    })
    expect(issuer.exchanges).toBe(0)
  })
})

describe('whatever else is pasted does not end the wait', () => {
  test('from a pipe, and the browser still comes', async () => {
    const earlier = await waiting(openPipe())
    const old = await redirectFrom(earlier.address)
    const stdin = openPipe()
    const it = await waiting(stdin, {}, `${login} --profile work`)
    it.paste(old.href)
    it.paste(it.address)
    it.paste('')
    it.paste('hello there')
    it.paste(codeOf(await redirectFrom(it.address)))
    it.paste('y')
    stdin.end()
    await it.says(new RegExp(`${NO_CODE}[^]*${NO_CODE}`))
    await signIn(it.address)
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: [
        SHOWN,
        WAITING,
        OTHER_ATTEMPT,
        SIGN_IN_ADDRESS,
        NO_CODE,
        NOT_ALONE,
        NO_CODE,
        SIGNED_IN.replace('default', 'work'),
      ].join(''),
    })
    await signIn(earlier.address)
    expect(await earlier.ended).toMatchObject({ exitCode: 0 })
  })

  test('at a terminal, and the right address still counts', async () => {
    const it = await atTerminal()
    const redirect = await redirectFrom(it.address)
    it.paste('http://localhost:1455/auth/callback?code=an-old-code&state=an-old-state')
    it.paste(it.address)
    it.paste('what now?')
    it.paste(redirect.href)
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: [SHOWN, HINT, WAITING, OTHER_ATTEMPT, SIGN_IN_ADDRESS, NO_CODE, SIGNED_IN].join(''),
    })
  })

  test('with --quiet, which does not keep quiet about it', async () => {
    const it = await waiting(keyboard(), { terminal: true }, `${login} --quiet`)
    it.paste('hello there')
    it.paste((await redirectFrom(it.address)).href)
    expect(await end(it)).toEqual({ exitCode: 0, stdout: '', stderr: `\nADDRESS\n\n${NO_CODE}` })
  })

  test('nor does the end of what is pasted', async () => {
    const it = await waiting(piped(''))
    await signIn(it.address)
    expect(await end(it)).toMatchObject({ exitCode: 0 })
  })

  test('nor does a terminal that went away', async () => {
    const stdin = keyboard()
    const it = await waiting(stdin, { terminal: true })
    stdin.destroy(Object.assign(new Error('read EIO'), { code: 'EIO', syscall: 'read' }))
    await signIn(it.address)
    expect(await end(it)).toMatchObject({ exitCode: 0 })
  })

  test('but the time does', async () => {
    const it = await waiting(openPipe(), {}, `${login} --timeout 0`)
    expect(await it.ended).toMatchObject({ exitCode: 8 })
  })

  test('and so does a signal', async () => {
    const stop = new AbortController()
    const it = await waiting(keyboard(), { terminal: true, interruption: stop.signal })
    it.paste('hello there')
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await it.ended).toMatchObject({ exitCode: 130 })
  })
})

describe('a code without its state, at a terminal,', () => {
  test('is taken when the person vouches for it', async () => {
    const it = await atTerminal()
    it.paste(codeOf(await redirectFrom(it.address)))
    await it.says(/\[y\/N\]\n/)
    it.paste('y')
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: [SHOWN, HINT, WAITING, IS_IT_YOURS, SIGNED_IN].join(''),
    })
  })

  test.each(['', 'n', 'no'])('is not taken after %j, and the browser still comes', async (answer) => {
    const it = await atTerminal()
    it.paste(codeOf(await redirectFrom(it.address)))
    it.paste(answer)
    it.paste('y')
    await it.says(/There is no code in that/)
    expect(issuer.exchanges).toBe(0)
    await signIn(it.address)
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: [SHOWN, HINT, WAITING, IS_IT_YOURS, NO_CODE, SIGNED_IN].join(''),
    })
  })

  test('of another attempt is not accepted, even if the person vouches for it', async () => {
    const earlier = await waiting(openPipe(), {}, `${login} --profile work`)
    const it = await atTerminal()
    it.paste(codeOf(await redirectFrom(earlier.address)))
    it.paste('y')
    const { host } = new URL(issuer.issuer)
    expect(await it.ended).toMatchObject({
      exitCode: 8,
      stderr: expect.stringMatching(
        new RegExp(`codex-auth: ${host} did not accept the authorization code \\(invalid_grant\\)\\.\n`),
      ),
    })
    expect(home.kept()).toBeUndefined()
    await signIn(earlier.address)
    await earlier.ended
  })

  test('is not asked about in CI, nor where nobody sees the question', async () => {
    for (const options of [{ terminal: true, env: { CI: '1' } }, { terminal: false }]) {
      const it = await waiting(keyboard(), options)
      it.paste(codeOf(await redirectFrom(it.address)))
      await it.says(new RegExp(NOT_ALONE))
      await signIn(it.address)
      expect(await end(it)).toMatchObject({ stderr: [SHOWN, WAITING, NOT_ALONE, SIGNED_IN].join('') })
    }
  })
})

async function portInUse() {
  const taken = await listenOnLoopback()
  const words = `login --no-browser --issuer ${issuer.issuer} --port ${taken.port}`
  return { ...taken, words }
}

describe('where nothing can listen,', () => {
  test('a person at a terminal can paste', async () => {
    const { port, words, close } = await portInUse()
    const it = await waiting(keyboard(), { terminal: true }, words)
    expect(new URL(it.address).searchParams.get('redirect_uri')).toBe(
      `http://localhost:${port}/auth/callback`,
    )
    it.paste((await redirectFrom(it.address)).href)
    expect(await end(it)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: [
        `codex-auth: warning: Nothing can listen for the redirect on this machine: port ${port} is in use. After signing in, paste the address that the browser ends on here.\n`,
        SHOWN,
        HINT,
        WAITING,
        SIGNED_IN,
      ].join(''),
    })
    await close()
  })

  test.each([
    ['without a terminal', { stdin: openPipe() }],
    ['without anything to read from', { terminal: true }],
    ['in CI', { terminal: true, env: { CI: 'true' }, stdin: keyboard() }],
    ['with something else than a person on standard input', { terminal: true, stdin: openPipe() }],
  ])('%s it ends with 8', async (_what, options) => {
    const { port, words, close } = await portInUse()
    const { stderr, ...rest } = await home.run(`${words} --profile work`, options)
    expect({ ...rest, stderr: withoutOwners(stderr) }).toEqual(
      failedInWords({
        exit_code: 8,
        message: `Nothing can listen for the redirect on this machine: port ${port} is in use.`,
        next_step:
          'end the program that has the port, or sign in without one: codex-auth login --profile work --device-code',
      }),
    )
    expect(issuer.requests).toEqual([])
    await close()
  })
})
