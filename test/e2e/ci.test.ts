import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startBearerServer } from '../support/bearer-server.ts'
import { freshSecret } from '../support/credentials.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { answers } from '../support/fake-issuer.ts'
import type { SecretKind } from '../support/secrets.ts'
import { runScript } from '../support/shell.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/ci.md'), 'utf8')

/** The `run:` blocks of the page by the names of their steps. */
const STEPS = new Map(
  [...PAGE.matchAll(/^ {6}- name: (.+)\n {8}run: (?:\|\n((?: {10}.*\n|\n)+)|(.+)\n)/gm)].map(
    ([, name = '', block, line = '']) => [name, block?.replaceAll(/^ {10}/gm, '') ?? line],
  ),
)

const SECRET = 'Is there a secret, and does it live long enough?'
const PROGRAM = 'Run a program with it'
const CURL = 'Or send it with curl'
const HAND_ON = 'Hand a token on to the next steps'
const PREFLIGHT = 'Preflight'
const WORK = 'Work'
const LONG = 'A long job, with a token that lasts'
const WAIT = 'Wait for a provider that is away'
const REPORT = 'Say what is wrong'

/** As GitHub starts them, and as the page claims besides. */
const SHELLS = [
  { name: 'bash -eo pipefail', shell: 'bash', options: 'set -eo pipefail' },
  { name: 'sh -eu', shell: 'sh', options: 'set -eu' },
] as const

/** What the page calls `node ask.mjs`: it says what it was given, and uses it. */
const ASK = `
  const { SERVER, OPENAI_API_KEY, OPENAI_BASE_URL } = process.env
  const answer = await fetch(SERVER, { headers: { authorization: 'Bearer ' + OPENAI_API_KEY } })
  console.log(OPENAI_BASE_URL, answer.status)
`

/** Leads what goes to OpenAI to the stand-in. */
const CURL_SHIM = `#!/bin/sh
for word; do
  shift
  case $word in https://api.openai.com/*) word=$SERVER/\${word#https://api.openai.com/} ;; esac
  set -- "$@" "$word"
done
PATH=\${PATH#*:} exec curl "$@"
`

/** Says how long it would have waited. */
const SLEEP_SHIM = '#!/bin/sh\necho "slept $1" >&2\n'

test('every step of the page is tried here', () => {
  const tried = [SECRET, PROGRAM, CURL, HAND_ON, PREFLIGHT, WORK, LONG, WAIT, REPORT]
  expect([...STEPS.keys()]).toEqual(tried)
  expect(PAGE.match(/^ +run: /gm)).toHaveLength(tried.length)
})

interface Job {
  readonly home: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly server?: string
  readonly mayContain?: readonly SecretKind[]
}

/** A login whose access token was to live an hour, of which so many seconds are left. */
async function signedIn(left = 3600) {
  const home = newHome()
  const issuer = await newIssuer()
  const login = issuer.issueLogin({ accessTokenLifetime: left })
  await storeLogin(home, login, { obtainedAt: login.expiresAt - 3600 })
  const server = await startBearerServer(issuer.accepts)
  return { home, issuer, server }
}

/** An API key in a secret, and who takes it. */
async function withKey() {
  const key = `sk-${freshSecret('api_key')}`
  const server = await startBearerServer((token) => token === key)
  return {
    served: server.served,
    job: { home: newHome(), env: { CODEX_AUTH_TOKEN: key }, server: server.origin },
  }
}

/** An access token in a secret that ends in so many seconds. */
async function withToken(lifetime: number) {
  const { accessToken } = (await newIssuer()).issueLogin({ accessTokenLifetime: lifetime })
  return { token: accessToken, job: { home: newHome(), env: { CODEX_AUTH_TOKEN: accessToken } } }
}

describe.for(SHELLS)('a step in $name', ({ shell, options }) => {
  /** Runs a step as the runner does, in a folder with `ask.mjs` in it. */
  async function runStep(name: string, { home, env, server = '', mayContain = [] }: Job) {
    const folder = join(newHome(), 'work')
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(folder, 'ask.mjs'), ASK)
    writeFileSync(join(bin, 'curl'), CURL_SHIM, { mode: 0o755 })
    writeFileSync(join(bin, 'sleep'), SLEEP_SHIM, { mode: 0o755 })
    const ended = await runScript(`${options}\nPATH=${bin}:$PATH\n${STEPS.get(name)}`, {
      home,
      shell,
      cwd: folder,
      mayContain,
      env: { CI: 'true', SERVER: server, GITHUB_ENV: join(folder, 'github-env'), ...env },
    })
    return { ...ended, folder }
  }

  describe('with a secret', () => {
    test('finds it good', async () => {
      const { job } = await withKey()
      expect(await runStep(SECRET, job)).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await runStep(SECRET, (await withToken(3600)).job)).toMatchObject({ exitCode: 0, stderr: '' })
    })

    test.for([
      ['is empty, as in a pull request from a fork', '', 4],
      ['is not one word', 'two words', 2],
    ] as const)('that %s ends the job', async ([, CODEX_AUTH_TOKEN, exitCode]) => {
      const job = { home: newHome(), env: { CODEX_AUTH_TOKEN } }
      for (const step of [SECRET, PROGRAM, HAND_ON]) {
        expect((await runStep(step, job)).exitCode).toBe(exitCode)
      }
    })

    test('that lives too short ends the job with 3, and one that has ended with 4', async () => {
      expect((await runStep(SECRET, (await withToken(600)).job)).exitCode).toBe(3)
      expect((await runStep(SECRET, (await withToken(-600)).job)).exitCode).toBe(4)
    })

    test('runs a program with it', async () => {
      const { job, served } = await withKey()
      expect(await runStep(PROGRAM, job)).toMatchObject({
        exitCode: 0,
        stdout: 'https://api.openai.com/v1 200\n',
        stderr: '',
      })
      expect(served).toEqual(['/'])
    })

    test('ends as the program does', async () => {
      const { job } = await withKey()
      const { exitCode, stdout } = await runStep(PROGRAM, { ...job, server: 'http://127.0.0.1:9' })
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    })

    test('sends it with curl', async () => {
      const { job, served } = await withKey()
      expect(await runStep(CURL, job)).toMatchObject({ exitCode: 0, stdout: '{}', stderr: '' })
      expect(served).toEqual(['/v1/models'])
    })

    test('fails with curl when it is not taken', async () => {
      const { job } = await withKey()
      const env = { CODEX_AUTH_TOKEN: freshSecret('api_key') }
      expect((await runStep(CURL, { ...job, env })).exitCode).toBe(22)
    })

    test('hands a token on, and hides it before anything else', async () => {
      const { token, job } = await withToken(3600)
      const { folder, stdout, ...rest } = await runStep(HAND_ON, { ...job, mayContain: ['access_token'] })
      const handedOn = readFileSync(join(folder, 'github-env'), 'utf8')
      expect(rest).toEqual({ exitCode: 0, stderr: '' })
      expect([stdout === `::add-mask::${token}\n`, handedOn === `OPENAI_API_KEY=${token}\n`]).toEqual([
        true,
        true,
      ])
    })

    test('hands nothing on that lives too short', async () => {
      const { folder, exitCode, stdout } = await runStep(HAND_ON, (await withToken(600)).job)
      expect({ exitCode, stdout, handedOn: existsSync(join(folder, 'github-env')) }).toEqual({
        exitCode: 3,
        stdout: '',
        handedOn: false,
      })
    })
  })

  describe('on a runner with its own login', () => {
    test('finds it good', async () => {
      const { home, issuer } = await signedIn()
      expect(await runStep(PREFLIGHT, { home })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
      expect(issuer.refreshes).toBe(0)
    })

    test.for([1200, -60])('refreshes one that lives too short (%d s)', async (left) => {
      const { home, issuer } = await signedIn(left)
      expect((await runStep(PREFLIGHT, { home })).exitCode).toBe(0)
      expect(issuer.refreshes).toBe(1)
    })

    test('says who has to do what when nobody is signed in', async () => {
      expect(await runStep(PREFLIGHT, { home: newHome() })).toMatchObject({
        exitCode: 4,
        stdout: '::error::On this runner, somebody has to run: codex-auth login --device-code\n',
      })
    })

    test('says what is wrong with a login that cannot be read', async () => {
      const { home } = await signedIn()
      writeFileSync(join(home, 'profiles', 'default.cred'), 'damaged')
      const { exitCode, stdout } = await runStep(PREFLIGHT, { home })
      expect({ exitCode, says: stdout.includes('Problem') }).toEqual({ exitCode: 6, says: true })
    })

    test('ends with 5 when it has to refresh and the provider is away', async () => {
      const { home, issuer } = await signedIn(1200)
      issuer.nextAnswers.push(answers.html(502))
      expect((await runStep(PREFLIGHT, { home })).exitCode).toBe(5)
    })

    test.for([WORK, LONG])('works: %s', async (step) => {
      const { home, issuer, server } = await signedIn(1200)
      expect(await runStep(step, { home, server: server.origin })).toMatchObject({
        exitCode: 0,
        stdout: 'https://chatgpt.com/backend-api/codex 200\n',
        stderr: '',
      })
      expect(issuer.refreshes).toBe(step === LONG ? 1 : 0)
    })

    test('runs nothing without a login, or with one that lives too short', async () => {
      const { home, issuer, server } = await signedIn(1200)
      issuer.behaviour.accessTokenLifetime = 1200
      const short = await runStep(LONG, { home, server: server.origin })
      const none = await runStep(WORK, { home: newHome(), server: server.origin })
      expect([short.exitCode, none.exitCode, server.served]).toEqual([3, 4, []])
    })

    test('waits for a provider that is away', async () => {
      const { home, issuer } = await signedIn(-60)
      issuer.nextAnswers.push(answers.html(502), answers.html(502))
      const { exitCode, stderr } = await runStep(WAIT, { home })
      expect({ exitCode, slept: stderr.match(/slept \d+/g) }).toEqual({
        exitCode: 0,
        slept: ['slept 5', 'slept 20'],
      })
    })

    test('gives up on one that stays away with 5, and waits for nothing else', async () => {
      const { home, issuer } = await signedIn(-60)
      issuer.nextAnswers.push(...Array.from({ length: 4 }, () => answers.html(502)))
      expect((await runStep(WAIT, { home })).exitCode).toBe(5)
      const { exitCode, stderr } = await runStep(WAIT, { home: newHome() })
      expect({ exitCode, slept: stderr.includes('slept') }).toEqual({ exitCode: 4, slept: false })
    })

    test('keeps a failure as an object, and no token in a file', async () => {
      const failed = await runStep(REPORT, { home: newHome() })
      const report = join(failed.folder, 'codex-auth-failure.json')
      expect({
        exitCode: failed.exitCode,
        code: JSON.parse(readFileSync(report, 'utf8')).error.code,
      }).toEqual({
        exitCode: 1,
        code: 'login_required',
      })
      const { folder, exitCode, stdout } = await runStep(REPORT, { home: (await signedIn()).home })
      expect({ exitCode, stdout, kept: existsSync(join(folder, 'codex-auth-failure.json')) }).toEqual({
        exitCode: 0,
        stdout: '',
        kept: false,
      })
    })
  })

  test('that would sign in ends at once', async () => {
    const { exitCode, stdout } = await runScript(`${options}\ncodex-auth login`, {
      home: newHome(),
      shell,
      env: { CI: 'true' },
    })
    expect({ exitCode, stdout }).toEqual({ exitCode: 9, stdout: '' })
  })
})
