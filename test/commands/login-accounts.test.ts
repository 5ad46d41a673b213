import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renderResultPage } from '../../src/adapters/result-page.ts'
import type { Credential } from '../../src/core/credential.ts'
import { AuthError } from '../../src/errors.ts'
import { failed } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import {
  fakeBrowser,
  keyboard,
  openPipe,
  temporaryHome,
  type Home,
  type RunOptions,
} from '../support/fake-surroundings.ts'
import { startOpenIdProvider, type OpenIdProvider } from '../support/openid-provider.ts'
import { signIn } from '../support/sign-in.ts'

const ALICE = { email: 'alice@example.com', accountId: 'account-1', userId: 'user-1', plan: 'plus' }
const BOB = { email: 'bob@example.com', accountId: 'account-2', userId: 'user-2', plan: 'team' }
const ADDRESS = /^\n(http\S+)\n\n/
const HELD =
  'The profile "default" holds a login of alice@example.com, and bob@example.com signed in. Nothing was changed.'
const ANOTHER_WAY =
  'sign in to another profile with --profile <name>, or replace this login: codex-auth login --force'
const QUESTION =
  'The profile "default" holds a login of alice@example.com. Replace it by bob@example.com? [y/N] '

let issuer: FakeIssuer
let home: Home
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --browser --quiet --json --issuer ${issuer.issuer} --port 0`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

/** Alice's login, as it was saved before. */
async function keepAlice(changes: Partial<Credential> = {}) {
  const issued = issuer.issueLogin({ account: ALICE })
  await home.keep({ ...credentialOf(issued), ...changes })
  return { ...issued, bytes: readFileSync(home.credentialFile()) }
}

/**
 * Signs in over Alice's login, and looks at what has become of hers and of the new one.
 * @param answer what a person types when there is a question
 */
async function signInOver(flags: string, options: RunOptions = {}, answer?: string) {
  const alice = await keepAlice()
  const browser = fakeBrowser()
  const running = home.start(`${login}${flags}`, { browser, ...options })
  if (answer !== undefined) {
    await running.says(/\[y\/N\] $/)
    options.stdin?.write(`${answer}\n`)
  }
  const { stderr, ...rest } = await running.ended
  return {
    ended: { ...rest, stderr: stderr.replace(ADDRESS, '') },
    isFileUntouched: readFileSync(home.credentialFile()).equals(alice.bytes),
    isAliceAccepted: issuer.accepts(alice.accessToken) && issuer.accepts(alice.refreshToken),
    /** Whatever was signed in and not kept must not work. */
    liveLogins: issuer.liveFamilies(),
    browser,
  }
}

function refused(message: string, next_step = 'codex-auth login') {
  return {
    ended: failed({ code: 'login_incomplete', exit_code: 8, message, next_step }),
    isFileUntouched: true,
    isAliceAccepted: true,
    liveLogins: 1,
    browser: expect.anything(),
  }
}

const REPLACED = {
  ended: { exitCode: 0, stdout: expect.stringContaining('"email":"bob@example.com"'), stderr: '' },
  isFileUntouched: false,
  isAliceAccepted: false,
  liveLogins: 1,
  browser: expect.anything(),
}

describe('login --workspace', () => {
  test('asks the provider for this one only, and keeps it', async () => {
    const { browser, ...rest } = await signInOver(' --workspace account-1')
    expect(rest).toMatchObject({ ended: { exitCode: 0, stderr: '' }, liveLogins: 1 })
    expect(new URL(browser.opened[0] ?? '').searchParams.get('allowed_workspace_id')).toBe('account-1')
  })

  test('is not sent when it was not asked for', async () => {
    const { browser } = await signInOver('')
    expect(new URL(browser.opened[0] ?? '').searchParams.has('allowed_workspace_id')).toBe(false)
  })

  test('keeps no other one, also with --force, and says so in the browser', async () => {
    const message = 'This sign-in is limited to the workspace account-2, and another was chosen.'
    const outcome = await signInOver(' --workspace account-2 --force')
    expect(outcome).toEqual(refused(message))
    const page = renderResultPage({ kind: 'failed', message, nextStep: 'codex-auth login' })
    expect(await outcome.browser.lastPage()).toMatchObject({ status: page.status, text: page.html })
  })
})

test('login --workspace means nothing to an OpenID provider, which is said before anybody signs in', async () => {
  const run = await home.run(`${login} --provider oidc --client-id native --workspace account-1`)
  expect(run).toEqual(
    failed({
      code: 'usage',
      exit_code: 2,
      message: "Workspaces are ChatGPT's, and an OpenID provider has none.",
      next_step: 'leave out --workspace, or name the account: --expect-account <email-or-id>',
    }),
  )
})

test.each([
  ['--workspace', ''],
  ['--workspace', 'account-1,account-2'],
  ['--expect-account', ''],
  ['--expect-account', ' '],
])('login %s "%s" could let nobody in, which is said before anybody signs in', async (flag, value) => {
  expect(await home.run([...login.split(' '), flag, value])).toEqual(
    failed({
      code: 'usage',
      exit_code: 2,
      message: `"${value}" names no account or workspace.`,
      next_step: 'write one id, or one address: --expect-account alice@example.com',
    }),
  )
})

test.each(['--with-api-key', '--with-access-token'])(
  'login %s is not for an OpenID provider, which is said before anything is read',
  async (flag) => {
    const { ended } = home.start(`${login} ${flag} --provider oidc --client-id native`, { stdin: openPipe() })
    expect(await ended).toEqual(
      failed({
        code: 'usage',
        exit_code: 2,
        message: "A key or token given by hand is OpenAI's, and no OpenID provider's.",
        next_step: 'leave out --provider, or sign in: codex-auth login --provider oidc',
      }),
    )
  },
)

test('login --with-api-key waits no longer than --timeout for what never comes', async () => {
  const { ended } = home.start(`${login} --with-api-key --timeout 1`, { stdin: openPipe() })
  expect(await ended).toEqual(
    failed({
      code: 'login_incomplete',
      exit_code: 8,
      message: 'Nothing came on standard input in time.',
      next_step: 'codex-auth login',
    }),
  )
})

describe('login --expect-account', () => {
  test.each(['alice@example.com', 'Alice@Example.com', 'account-1', 'user-1'])('may be %s', async (name) => {
    expect(await signInOver(` --expect-account ${name}`)).toMatchObject({
      ended: { exitCode: 0 },
      liveLogins: 1,
    })
  })

  test.each(['bob@example.com', 'account-2', 'user-2'])('keeps no other account than %s', async (name) => {
    expect(await signInOver(` --expect-account ${name} --force`)).toEqual(
      refused(`The sign-in was for ${name}, and alice@example.com signed in.`),
    )
  })
})

const atTerminal = (): RunOptions => ({ terminal: true, stdin: keyboard() })

describe('a login of another account', () => {
  beforeEach(() => {
    issuer.behaviour.account = BOB
  })

  test('is replaced with --force', async () => {
    expect(await signInOver(' --force')).toEqual(REPLACED)
  })

  test.each([
    ['without a terminal', {}],
    ['with a terminal that nobody types at', { terminal: true }],
    ['with a pipe on standard input', { terminal: true, stdin: openPipe() }],
    ['where nobody sees the question', { stdin: keyboard() }],
    ['in CI', { terminal: true, stdin: keyboard(), env: { CI: 'true' } }],
  ])('is not replaced %s, and the browser says so', async (_what, options) => {
    const outcome = await signInOver('', options)
    expect(outcome).toEqual(refused(HELD, ANOTHER_WAY))
    const page = renderResultPage({ kind: 'failed', message: HELD, nextStep: ANOTHER_WAY })
    expect(await outcome.browser.lastPage()).toMatchObject({ status: page.status, text: page.html })
  })

  test.each(['y', 'Y', ' yes '])('is replaced when a person says %j', async (answer) => {
    const outcome = await signInOver('', atTerminal(), answer)
    expect(outcome).toEqual({ ...REPLACED, ended: { ...REPLACED.ended, stderr: QUESTION } })
  })

  test.each(['', 'n', 'no', 'yess', 'who?'])('is not replaced when a person says %j', async (answer) => {
    const { ended, ...rest } = refused(HELD, ANOTHER_WAY)
    expect(await signInOver('', atTerminal(), answer)).toEqual({
      ...rest,
      ended: { ...ended, stderr: `${QUESTION}${ended.stderr}` },
    })
  })

  test('is not replaced when Ctrl-C is the answer', async () => {
    const alice = await keepAlice()
    const stop = new AbortController()
    const running = home.start(login, {
      ...atTerminal(),
      browser: fakeBrowser(),
      interruption: stop.signal,
    })
    await running.says(/\[y\/N\] $/)
    stop.abort(new AuthError('interrupted', 'Interrupted.'))
    expect(await running.ended).toMatchObject({ exitCode: 130 })
    expect(readFileSync(home.credentialFile()).equals(alice.bytes)).toBe(true)
    expect({ live: issuer.liveFamilies(), alice: issuer.accepts(alice.refreshToken) }).toEqual({
      live: 1,
      alice: true,
    })
  })

  test('is not replaced when another sign-in takes over while the question waits', async () => {
    const alice = await keepAlice()
    const first = home.start(login, { ...atTerminal(), browser: fakeBrowser() })
    await first.says(/\[y\/N\] $/)
    const second = home.start(`${login} --force`, { browser: fakeBrowser() })
    expect(await first.ended).toMatchObject({
      exitCode: 8,
      stderr: expect.stringContaining('took the place of this one'),
    })
    expect(await second.ended).toMatchObject({ exitCode: 0 })
    expect({ live: issuer.liveFamilies(), alice: issuer.accepts(alice.refreshToken) }).toEqual({
      live: 1,
      alice: false,
    })
  })

  test.each([
    ['the provider refuses the one before', { refusal: { reason: 'revoked', at: 0 } } as const],
    ['the one before has ended for good', { refreshToken: undefined, expiresAt: 0 }],
  ])('needs no question when %s', async (_what, changes) => {
    await keepAlice(changes)
    expect(await home.run(login, { browser: fakeBrowser() })).toMatchObject({ exitCode: 0 })
    expect(home.kept()?.account.email).toBe('bob@example.com')
  })

  test('names the profile in every next step', async () => {
    await home.keep(credentialOf(issuer.issueLogin({ account: ALICE })), 'work')
    const { stderr } = await home.run(`${login} --profile work`, { browser: fakeBrowser() })
    expect(stderr).toMatch(/replace this login: codex-auth login --profile work --force\n$/)
  })
})

describe('login --if-needed', () => {
  test.each([
    ['--expect-account alice@example.com', 0],
    ['--workspace account-1', 0],
    ['--expect-account bob@example.com', 9],
    ['--workspace account-2', 9],
  ])('asks for the account as well: %s', async (flag, exitCode) => {
    await keepAlice()
    expect(await home.run(`login --if-needed ${flag}`)).toMatchObject({ exitCode })
  })

  test('signs in when the login that works is of another account', async () => {
    issuer.behaviour.account = BOB
    expect(await signInOver(' --if-needed --expect-account bob@example.com --force')).toEqual(REPLACED)
  })
})

const as = (person: string) => fakeBrowser((address) => signIn(address, { login: person }))

describe('at an OpenID provider', () => {
  let provider: OpenIdProvider
  let words: string

  beforeEach(async () => {
    provider = await startOpenIdProvider()
    words = `login --browser --quiet --provider oidc --issuer ${provider.issuer} --client-id ${provider.clientId}`
  })

  afterEach(async () => {
    home.remove(provider.secrets)
    await provider.close()
  })

  test('the same account signs in again, and the grant that both logins may share is not revoked', async () => {
    const [first, second] = [as('alice'), as('alice')]
    expect(await home.run(words, { browser: first })).toMatchObject({ exitCode: 0 })
    expect(await home.run(words, { browser: second })).toMatchObject({ exitCode: 0 })
    expect(await home.run('refresh --quiet')).toMatchObject({ exitCode: 0 })
    expect({ revocations: provider.revocations, refreshes: provider.refreshes }).toEqual({
      revocations: 0,
      refreshes: 1,
    })
  })

  test('another account is refused and revoked, and the login before still works', async () => {
    await home.run(words, { browser: as('alice') })
    const bytes = readFileSync(home.credentialFile())
    expect(await home.run(words, { browser: as('bob') })).toMatchObject({ exitCode: 8 })
    expect(readFileSync(home.credentialFile()).equals(bytes)).toBe(true)
    expect(provider.revocations).toBe(1)
    expect(await home.run('refresh --quiet')).toMatchObject({ exitCode: 0 })
  })

  test('another account takes the place of the one before with --force, and that one is revoked', async () => {
    await home.run(words, { browser: as('alice') })
    expect(await home.run(`${words} --force`, { browser: as('bob') })).toMatchObject({ exitCode: 0 })
    expect({ account: home.kept()?.account.email, revocations: provider.revocations }).toEqual({
      account: 'bob@example.com',
      revocations: 1,
    })
    expect(await home.run('refresh --quiet')).toMatchObject({ exitCode: 0 })
  })

  test('an account that was not asked for is refused without a revocation that could end the login before', async () => {
    await home.run(words, { browser: as('alice') })
    const run = await home.run(`${words} --expect-account bob@example.com`, { browser: as('alice') })
    expect({ exitCode: run.exitCode, revocations: provider.revocations }).toEqual({
      exitCode: 8,
      revocations: 0,
    })
    expect(await home.run('refresh --quiet')).toMatchObject({ exitCode: 0 })
  })
})
