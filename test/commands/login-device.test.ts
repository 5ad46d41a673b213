import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderUnicodeCompact } from 'uqr'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AuthError } from '../../src/errors.ts'
import { failed, failedInWords } from '../support/expected-output.ts'
import { answers, credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { keyboard, temporaryHome, type Home, type RunOptions } from '../support/fake-surroundings.ts'
import { startOpenIdProvider } from '../support/openid-provider.ts'
import { denySignIn, signIn } from '../support/sign-in.ts'

const CODE = /enter the code:\n\n(\S+)\n\n/
const ALLOW = 'Device sign-in must be allowed first, in the security settings of your ChatGPT account.\n\n'
const YOURSELF =
  'Go on only if you started this sign-in yourself. If somebody sent you this code, stop here.\n'
/** The start of the line, and nothing on it any more. */
const CLEARED = '\r\u001b[K'
const SIGNED_IN = 'Signed in as alice@example.com (plus), profile "default".\n'

let issuer: FakeIssuer
let home: Home
let login: string
let host: string

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
  login = `login --device-code --issuer ${issuer.issuer}`
  host = new URL(issuer.issuer).host
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

/** A clock that is so many seconds further at each look; with forty, no poll is waited for. */
function leaping(seconds = 40): () => number {
  let now = Date.now() / 1000
  return () => (now += seconds)
}

/** With this clock and a poll each second, a tenth of it is waited for. */
const hurrying = (): (() => number) => leaping(0.9)

function shown(page = `${issuer.issuer}/codex/device`): string {
  return `Open this page on any device:\n\n${page}\n\nand enter the code:\n\nCODE\n\n`
}

async function run(words = login, { now = leaping(), ...options }: RunOptions = {}) {
  const { stderr, ...rest } = await home.run(words, { now, ...options })
  return { ...rest, stderr: stderr.replace(CODE, 'enter the code:\n\nCODE\n\n') }
}

async function keepLogin() {
  const issued = issuer.issueLogin()
  await home.keep(credentialOf(issued))
  return { ...issued, file: readFileSync(home.credentialFile()) }
}

describe('login --device-code', () => {
  test('shows a page and a code, needs no terminal, and keeps what the person brings back', async () => {
    issuer.behaviour.device = { enabled: true, interval: '5', polls: [403, 404, 'approved'] }
    expect(await run()).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${ALLOW}${shown()}${YOURSELF}${SIGNED_IN}`,
    })
    expect(home.kept()).toMatchObject({
      method: 'chatgpt',
      provider: 'openai',
      issuer: issuer.issuer,
      account: { email: 'alice@example.com', id: 'account-1', userId: 'user-1', plan: 'plus' },
    })
    expect(issuer.accepts(home.kept()?.refreshToken ?? '')).toBe(true)
    expect(issuer.requests.map(({ path }) => path)).toEqual([
      '/api/accounts/deviceauth/usercode',
      '/api/accounts/deviceauth/token',
      '/api/accounts/deviceauth/token',
      '/api/accounts/deviceauth/token',
      '/oauth/token',
    ])
  })

  test('prints what status prints with --json', async () => {
    const { stdout } = await run(`${login} --json --quiet`)
    expect(JSON.parse(stdout)).toMatchObject({ method: 'chatgpt', state: 'valid', exit_code: 0 })
  })

  test('says nothing but the page and the code with --quiet', async () => {
    expect(await run(`${login} --quiet`)).toEqual({ exitCode: 0, stdout: '', stderr: shown() })
  })

  test.each(['--browser', '--no-browser'])('opens no browser, whatever %s says', async (flag) => {
    expect(await run(`${login} ${flag}`)).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(shown()),
    })
  })

  test('goes on when the provider is not well for a while', async () => {
    issuer.behaviour.device = { enabled: true, interval: '5', polls: [500, 429, 403, 'approved'] }
    issuer.nextDevicePollAnswers.push(answers.html(502), answers.rateLimited('1'))
    expect(await run()).toMatchObject({ exitCode: 0 })
  })

  test('takes the place of the login before, and only then revokes it', async () => {
    const before = await keepLogin()
    expect(await run()).toMatchObject({ exitCode: 0 })
    expect({ before: issuer.accepts(before.refreshToken), live: issuer.liveFamilies() }).toEqual({
      before: false,
      live: 1,
    })
  })
})

/** What a telephone reads. */
function picture(): string {
  return `${renderUnicodeCompact(`${issuer.issuer}/codex/device`, { border: 2 })}\n\n`
}

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((row) => row.length))
}

describe('at a terminal, login --device-code', () => {
  test('shows a picture for the telephone as well', async () => {
    expect(await run(login, { terminal: true })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${ALLOW}${shown()}${picture()}${YOURSELF}${SIGNED_IN}`,
    })
  })

  test('draws that picture white on black where there are colours, so that cameras read it on a light terminal too', async () => {
    const rows = picture().trimEnd().split('\n')
    const { stderr } = await run(login, { terminal: true, colours: true })
    expect(stderr).toContain(`\n${rows.map((row) => `\u001B[97;40m${row}\u001B[39;49m\n`).join('')}\n`)
  })

  test.each([
    [4, true],
    [3, false],
  ])('with %i columns to spare, the picture is shown: %s', async (spare, isShown) => {
    const { stderr } = await run(login, { terminal: true, columns: widthOf(picture()) + spare })
    expect(stderr.includes(picture())).toBe(isShown)
  })

  test('shows no picture with --quiet', async () => {
    expect(await run(`${login} --quiet`, { terminal: true })).toMatchObject({ stderr: shown() })
  })

  test('says how long the code lasts on a line that is gone in the end', async () => {
    issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
    const { stderr } = await run(login, { terminal: true, now: hurrying() })
    expect(stderr).toBe(
      `${ALLOW}${shown()}${picture()}${YOURSELF}${CLEARED}Waiting; the code ends in 15 min${CLEARED}${SIGNED_IN}`,
    )
  })

  test.each([
    ['a terminal that cannot write over a line', { terminal: true, env: { TERM: 'dumb' } }],
    ['a pipe', {}],
  ])('shows no such line on %s', async (_what, options) => {
    issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
    expect((await home.run(login, { now: hurrying(), ...options })).stderr).toMatch(/stop here\.\nSigned in/)
  })

  test('counts in few words on a terminal that was made narrower meanwhile', async () => {
    issuer.behaviour.device = { enabled: true, interval: '1', polls: [403, 'approved'] }
    // From the first question on whether the code has been used.
    const columns = (): number => (issuer.requests.length > 1 ? 20 : 200)
    const { stderr } = await run(login, { terminal: true, now: hurrying(), columns })
    expect(stderr).toContain(`${CLEARED}15 min left${CLEARED}`)
  })

  test('asks on a line of its own whether to replace another account', async () => {
    await home.keep(
      credentialOf(
        issuer.issueLogin({
          account: { email: 'bob@example.com', accountId: 'account-2', userId: 'user-2', plan: 'team' },
        }),
      ),
    )
    issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
    const stdin = keyboard()
    const running = home.start(login, { terminal: true, stdin, now: hurrying() })
    await running.says(/Replace it by alice@example\.com\? \[y\/N\] $/)
    stdin.write('y\n')
    const { exitCode, stderr } = await running.ended
    expect(exitCode).toBe(0)
    expect(stderr).toContain(
      `${CLEARED}Waiting; the code ends in 15 min${CLEARED}The profile "default" holds a login of bob@example.com.`,
    )
  })
})

describe('the login before stays when a sign-in with a device code', () => {
  test.each([
    ['is denied', ['denied'], 'The sign-in was denied.'],
    ['takes too long for the provider', [403, 'expired'], 'The code ended before the sign-in was finished.'],
    ['is refused', [400], 'HOST ended the sign-in with this device code (400, invalid_request).'],
    ['takes too long for the code', [403], 'Nobody used the code in time.'],
  ] as const)('%s', async (_what, polls, message) => {
    const before = await keepLogin()
    issuer.behaviour.device = { enabled: true, interval: '5', polls }
    const failure = {
      code: 'login_incomplete',
      exit_code: 8,
      message: message.replace('HOST', host),
      next_step: 'codex-auth login',
    }
    const { stderr, ...rest } = await run(`${login} --json`)
    expect({ ...rest, stderr: stderr.replace(`${ALLOW}${shown()}${YOURSELF}`, '') }).toEqual(failed(failure))
    expect(readFileSync(home.credentialFile()).equals(before.file)).toBe(true)
    expect(issuer.accepts(before.refreshToken)).toBe(true)
    expect(existsSync(join(home.path, 'profiles', 'default.login'))).toBe(false)
  })

  test('is given no time', async () => {
    expect(await run(`${login} --timeout 0`)).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('\ncodex-auth: Nobody used the code in time.\n'),
    })
  })

  test('is not allowed, and says where to allow it', async () => {
    issuer.behaviour.device = { enabled: false, interval: '5', polls: [] }
    expect(await run(`${login} --profile work`)).toEqual(
      failedInWords({
        exit_code: 8,
        message: `Sign-in with a device code is not enabled at ${host}.`,
        next_step:
          'enable device code sign-in in the security settings of ChatGPT, or use the browser: codex-auth login --profile work',
      }),
    )
  })

  test('is of another account than was asked for, which is revoked', async () => {
    const before = await keepLogin()
    expect(await run(`${login} --workspace account-2`)).toMatchObject({ exitCode: 8 })
    expect(readFileSync(home.credentialFile()).equals(before.file)).toBe(true)
    expect(issuer.liveFamilies()).toBe(1)
  })

  test('is interrupted; until then, every other process sees that it waits', async () => {
    const stop = new AbortController()
    const running = home.start(login, { interruption: stop.signal })
    await running.says(CODE)
    expect(JSON.parse((await home.run('status --json')).stdout)).toMatchObject({
      login_in_progress: { pid: process.pid, method: 'device_code' },
    })
    expect((await home.run('status')).stdout).toContain(
      `  Signing in   a sign-in is waiting (pid ${process.pid}, device_code)\n`,
    )
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await running.ended).toMatchObject({ exitCode: 130 })
    expect(JSON.parse((await home.run('status --json')).stdout)).toMatchObject({ login_in_progress: null })
  })

  test('is forbidden', async () => {
    expect(await run(`${login} --no-input`)).toMatchObject({ exitCode: 9 })
    expect(issuer.requests).toEqual([])
  })
})

describe('a second sign-in for the same profile', () => {
  const LOST =
    'codex-auth: Another sign-in was started and took the place of this one.\n  Next: finish the other sign-in\n'

  test('ends the first, and goes on', async () => {
    const first = home.start(login)
    await first.says(CODE)
    const stop = new AbortController()
    const second = home.start(login, { interruption: stop.signal })
    await second.says(CODE)
    expect(await first.ended).toMatchObject({ exitCode: 8, stderr: expect.stringMatching(`${LOST}$`) })
    expect(JSON.parse((await home.run('status --json')).stdout)).toMatchObject({
      login_in_progress: { method: 'device_code' },
    })
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await second.ended).toMatchObject({ exitCode: 130 })
  })

  test('of another profile goes on beside it', async () => {
    const stop = new AbortController()
    const first = home.start(login, { interruption: stop.signal })
    await first.says(CODE)
    expect(await run(`${login} --profile work`)).toMatchObject({ exitCode: 0 })
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await first.ended).toMatchObject({ exitCode: 130 })
  })
})

/** The person goes to the page that the picture on a terminal leads to. */
async function signInThere(visit: (address: string) => Promise<unknown>) {
  const provider = await startOpenIdProvider()
  const words = `login --device-code --provider oidc --issuer ${provider.issuer} --client-id ${provider.clientId}`
  let ahead = 0
  const running = home.start(words, { now: () => Date.now() / 1000 + ahead })
  const [, code = ''] = await running.says(CODE)
  await visit(`${provider.issuer}/device?user_code=${code}`)
  ahead = 60
  const { stderr, ...rest } = await running.ended
  home.remove(provider.secrets)
  await provider.close()
  return { ...rest, stderr: stderr.replace(code, 'CODE'), page: `${provider.issuer}/device` }
}

describe('at an OpenID provider, login --device-code', () => {
  test('ends with a login', async () => {
    const { page, ...ended } = await signInThere(signIn)
    expect(ended).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${shown(page)}${YOURSELF}Signed in as alice@example.com, profile "default".\n`,
    })
  })

  test('ends with 8 when the person cancels', async () => {
    const { page, ...ended } = await signInThere(denySignIn)
    expect(ended).toEqual({
      exitCode: 8,
      stdout: '',
      stderr: `${shown(page)}${YOURSELF}codex-auth: The sign-in was denied.\n  Next: codex-auth login\n`,
    })
  })
})
