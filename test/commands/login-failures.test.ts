import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renderResultPage } from '../../src/adapters/result-page.ts'
import { AuthError } from '../../src/errors.ts'
import { failed, failedInWords, type Failure } from '../support/expected-output.ts'
import {
  answers,
  credentialOf,
  hold,
  startFakeIssuer,
  type FakeIssuer,
  type IssuedLogin,
} from '../support/fake-issuer.ts'
import { fakeBrowser, temporaryHome, type Home, type RunOptions } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home
let host: string
/** A login with a browser, at the fake issuer. */
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  host = new URL(issuer.issuer).host
  login = `login --browser --quiet --json --issuer ${issuer.issuer} --port 0`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

async function keepLogin(): Promise<IssuedLogin> {
  const issued = issuer.issueLogin()
  await home.keep(credentialOf(issued))
  return issued
}

function withoutAddress(stderr: string): string {
  return stderr.replace(/^\nhttp\S+\n\n/, '')
}

async function nobodyListensAt(address: string | undefined): Promise<boolean> {
  const redirectUri = new URL(address ?? '').searchParams.get('redirect_uri') ?? ''
  const answer = await fetch(redirectUri).catch((error: unknown) => error)
  return answer instanceof TypeError
}

/** Tries to sign in although somebody is signed in, and looks at what has become of that login. */
async function tryLogin(options: RunOptions = {}, words = login) {
  const before = await keepLogin()
  const bytes = readFileSync(home.credentialFile())
  const { stderr, ...rest } = await home.run(words, options)
  return {
    ended: { ...rest, stderr: withoutAddress(stderr) },
    isFileUntouched: readFileSync(home.credentialFile()).equals(bytes),
    isAccepted: issuer.accepts(before.accessToken) && issuer.accepts(before.refreshToken),
    revocations: issuer.revocations,
    isAnnounced: existsSync(join(home.path, 'profiles', 'default.login')),
  }
}

function failedWithoutTrace(failure: Failure) {
  return {
    ended: failed(failure),
    isFileUntouched: true,
    isAccepted: true,
    revocations: 0,
    isAnnounced: false,
  }
}

describe('the login before stays', () => {
  const again = 'codex-auth login'

  test.each([
    [
      'the person says no',
      () =>
        void (issuer.behaviour.authorizationError = { error: 'access_denied', description: 'Not today.' }),
      {
        code: 'login_incomplete',
        exit_code: 8,
        message: 'The sign-in was denied: Not today.',
        next_step: again,
      },
    ],
    [
      'the workspace has no Codex',
      () =>
        void (issuer.behaviour.authorizationError = {
          error: 'access_denied',
          description: 'missing_codex_entitlement',
        }),
      {
        code: 'login_incomplete',
        exit_code: 8,
        message: 'Codex is not enabled for this workspace.',
        next_step: 'ask an administrator of the workspace for access to Codex, then sign in again',
      },
    ],
    [
      'the provider gives up',
      () => void (issuer.behaviour.authorizationError = { error: 'server_error' }),
      {
        code: 'login_incomplete',
        exit_code: 8,
        message: 'The provider ended the sign-in without a result (server_error).',
        next_step: again,
      },
    ],
    [
      'the code is not accepted',
      () => void issuer.nextAnswers.push(answers.json(400, { error: 'invalid_grant' })),
      {
        code: 'login_incomplete',
        exit_code: 8,
        message: 'HOST did not accept the authorization code (invalid_grant).',
        next_step: again,
      },
    ],
    [
      'the redirect is from another issuer',
      () => void (issuer.behaviour.redirectParameters = { iss: 'https://elsewhere.example' }),
      {
        code: 'login_incomplete',
        exit_code: 8,
        message:
          'The redirect from the browser is not to be trusted: unexpected "iss" (issuer) response parameter value.',
        next_step: again,
      },
    ],
    [
      'the provider is not well',
      () => void issuer.nextAnswers.push(answers.html(502)),
      {
        code: 'provider_unavailable',
        exit_code: 5,
        message: 'HOST answered 502.',
        next_step: 'try again in a moment; what is stored has not changed',
      },
    ],
    [
      'the answer has no token',
      () => void issuer.nextAnswers.push(answers.without('access_token')),
      {
        code: 'provider_unavailable',
        exit_code: 5,
        message: 'HOST answered 200 with nothing of what was asked for.',
        next_step: 'check for a proxy or captive portal and try again; what is stored has not changed',
      },
    ],
  ])('when %s, and the browser shows why', async (_, happen, failure) => {
    happen()
    const message = failure.message.replace('HOST', host)
    const browser = fakeBrowser()
    expect(await tryLogin({ browser })).toEqual(failedWithoutTrace({ ...failure, message }))
    const { status, html } = renderResultPage({ kind: 'failed', message, nextStep: failure.next_step })
    expect(await browser.lastPage()).toMatchObject({ status, text: html })
    expect(await nobodyListensAt(browser.opened[0])).toBe(true)
  })

  test('when the time is over', async () => {
    const opened: string[] = []
    const browser = { open: async (url: string) => opened.push(url) > 0 }
    expect(await tryLogin({ browser }, `${login} --timeout 0`)).toEqual(
      failedWithoutTrace({
        code: 'login_incomplete',
        exit_code: 8,
        message: 'Nobody finished the sign-in within 0 s.',
        next_step: again,
      }),
    )
    expect(await nobodyListensAt(opened[0])).toBe(true)
  })

  test.each([
    ['interrupted', 130, 'Interrupted.'],
    ['terminated', 143, 'Ended by SIGTERM.'],
  ] as const)('when it is %s while it waits', async (code, exit_code, message) => {
    const signal = new AbortController()
    const opened: string[] = []
    const browser = {
      open: async (url: string) => {
        signal.abort(new AuthError(code, message))
        return opened.push(url) > 0
      },
    }
    expect(await tryLogin({ browser, interruption: signal.signal })).toEqual(
      failedWithoutTrace({ code, exit_code, message, next_step: 'run the command again' }),
    )
    expect(await nobodyListensAt(opened[0])).toBe(true)
  })

  test('when the profile belongs to another process for too long', async () => {
    await keepLogin()
    await home.run('config set lock_wait 0')
    const ended = await home.store.exclusively('default', { work: () => home.run(login) })
    expect(ended).toMatchObject({ exitCode: 7, stderr: expect.not.stringContaining('http') })
    expect(issuer.requests).toEqual([])
  })

  test('when the key could not be used, which is known before the browser opens', async () => {
    await keepLogin()
    const key = join(home.path, 'key')
    chmodSync(key, 0o640)
    const bytes = readFileSync(home.credentialFile())
    expect(await home.run(login)).toEqual(
      failed({
        code: 'store_unreadable',
        exit_code: 6,
        message: `${key} is open to other users (mode 640).`,
        next_step: `chmod 600 ${key}`,
      }),
    )
    expect({ file: readFileSync(home.credentialFile()), requests: issuer.requests }).toEqual({
      file: bytes,
      requests: [],
    })
  })
})

test('a folder that cannot be made is known before the browser opens', async () => {
  const profiles = join(home.path, 'profiles')
  symlinkSync('nowhere', profiles)
  expect(await home.run(login)).toEqual(
    failed({
      code: 'store_unwritable',
      exit_code: 7,
      message: `${profiles} cannot be written: its folder is gone (ENOENT).`,
      next_step: 'free the disk or mend the permissions, and try again',
    }),
  )
})

test('an OpenID provider that cannot be reached is known before the browser opens', async () => {
  await issuer.close()
  const words = `login --browser --provider oidc --client-id me --issuer ${issuer.issuer}`
  expect(await home.run(words)).toEqual(
    failedInWords({
      exit_code: 5,
      message: `${host} could not be reached (ECONNREFUSED).`,
      next_step: 'check the network and try again; what is stored has not changed',
    }),
  )
})

describe('the login before is revoked', () => {
  test('only after the new one has been saved', async () => {
    const before = await keepLogin()
    const held = hold()
    issuer.nextRevocationAnswers.push(held.answer)
    const running = home.start(login, { browser: fakeBrowser() })
    await held.arrived
    const saved = home.kept()
    expect(saved?.refreshToken).not.toBe(before.refreshToken)
    held.release()
    expect(await running.ended).toMatchObject({ exitCode: 0 })
    expect(home.kept()).toEqual(saved)
    expect({
      before: issuer.accepts(before.refreshToken),
      after: issuer.accepts(saved?.refreshToken ?? ''),
      live: issuer.liveFamilies(),
    }).toEqual({ before: false, after: true, live: 1 })
  })

  test('also when it was dead', async () => {
    const before = credentialOf(issuer.issueLogin())
    await home.keep({ ...before, refusal: { reason: 'rejected', at: 0 } })
    expect(await home.run(login, { browser: fakeBrowser() })).toMatchObject({ exitCode: 0 })
    expect(issuer.accepts(before.refreshToken ?? '')).toBe(false)
  })

  test('at the provider it came from', async () => {
    const other = await startFakeIssuer()
    const before = other.issueLogin()
    await home.keep(credentialOf(before))
    expect(await home.run(login, { browser: fakeBrowser() })).toMatchObject({ exitCode: 0 })
    expect({ here: issuer.revocations, there: other.revocations }).toEqual({ here: 0, there: 1 })
    await other.close()
  })

  test('and when that is not confirmed, the new login is a success all the same', async () => {
    await keepLogin()
    issuer.nextRevocationAnswers.push(answers.unavailable('5'))
    const { stderr, exitCode } = await home.run(login, { browser: fakeBrowser() })
    expect({ exitCode, stderr: withoutAddress(stderr) }).toEqual({
      exitCode: 0,
      stderr: `codex-auth: warning: the login before this one is gone here, but its revocation was not confirmed: ${host} answered 503.\n`,
    })
    expect(await home.run('status')).toMatchObject({ exitCode: 0 })
  })

  test('unless it is an API key, which nobody can revoke', async () => {
    const before = credentialOf(issuer.issueLogin())
    await home.keep({ ...before, method: 'api_key', refreshToken: undefined })
    expect(await home.run(login, { browser: fakeBrowser() })).toMatchObject({ exitCode: 0 })
    expect(issuer.revocations).toBe(0)
  })
})
