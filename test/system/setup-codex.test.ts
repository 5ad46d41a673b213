import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { PROGRAM, runCli, type Ended } from '../support/cli.ts'
import { codexProgram, runCodex, startCodex, type CodexEnded } from '../support/codex.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { SENTENCE, startFakeModel, type FakeModel } from '../support/fake-model.ts'
import { hold, type FakeIssuer, type IssuedLogin, type LoginOverrides } from '../support/fake-issuer.ts'

beforeAll(codexProgram, 300_000)

/** Without what Codex does on the network besides, which takes seconds where there is none. */
const EXEC = [
  'exec',
  '-c',
  'features.plugins=false',
  '-c',
  'analytics.enabled=false',
  '--skip-git-repo-check',
  'hi',
]

interface World {
  readonly home: string
  readonly codexHome: string
  readonly configuration: string
  readonly issuer: FakeIssuer
  readonly login: IssuedLogin
  readonly model: FakeModel
  codexAuth(...words: readonly string[]): Promise<Ended>
  codex(...args: readonly string[]): Promise<CodexEnded>
}

/** A login, and the real Codex set up for it with a stand-in for the model. */
async function world(overrides: LoginOverrides = {}, configuration = 'model = "gpt-5"\n'): Promise<World> {
  const home = newHome()
  const codexHome = join(home, 'codex')
  mkdirSync(codexHome)
  const issuer = await newIssuer()
  const model = await startFakeModel()
  onTestFinished(() => model.close())
  const login = issuer.issueLogin(overrides)
  await storeLogin(home, login)
  const path = join(codexHome, 'config.toml')
  writeFileSync(path, configuration)
  const env = { CODEX_HOME: codexHome }
  const codexAuth = (...words: readonly string[]): Promise<Ended> => runCli(words, { home, env })
  const { exitCode } = await codexAuth('setup', 'codex', '--base-url', model.baseUrl)
  expect(exitCode).toBe(0)
  const codex = (...args: readonly string[]): Promise<CodexEnded> =>
    runCodex(args, { codexHome, env: { CODEX_AUTH_HOME: home } })
  return { home, codexHome, configuration: path, issuer, login, model, codexAuth, codex }
}

test('codex exec sends our token and the account, and gets its answer', async () => {
  const { codex, model, login } = await world()
  const { exitCode, stdout } = await codex(...EXEC)
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${SENTENCE}\n` })
  expect(
    model.answers.map(({ account, token }) => ({ account, isOurs: token === login.accessToken })),
  ).toEqual([{ account: 'account-1', isOurs: true }])
  expect(model.requests.every(({ token }) => token === login.accessToken)).toBe(true)
})

test('an expired token is refreshed before Codex sends anything', async () => {
  const { codex, model, issuer } = await world({ accessTokenLifetime: -60 })
  const { exitCode, stdout } = await codex(...EXEC)
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${SENTENCE}\n` })
  expect(model.requests.every(({ token = '' }) => issuer.accepts(token))).toBe(true)
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
})

test('after a 401 Codex asks again, and gets the token that was refreshed meanwhile', async () => {
  const { codex, codexAuth, model, login, issuer } = await world()
  model.letsIn = async ({ token }) => {
    if (token !== login.accessToken) return true
    // A person, or another program, who has seen that the token is refused.
    expect((await codexAuth('refresh')).exitCode).toBe(0)
    return false
  }
  const { exitCode, stdout } = await codex(...EXEC)
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${SENTENCE}\n` })
  expect(
    model.answers.map(({ token = '' }) => (token === login.accessToken ? 'old' : issuer.accepts(token))),
  ).toEqual(['old', true])
})

test('20 processes of Codex at once on an expired token cause one refresh, and all get their answer', async () => {
  const { codex, model, issuer } = await world({ accessTokenLifetime: -60 })
  const ended = await Promise.all(Array.from({ length: 20 }, () => codex(...EXEC)))
  expect(ended.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
    ended.map(() => ({ exitCode: 0, stdout: `${SENTENCE}\n` })),
  )
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
  expect(new Set(model.answers.map(({ token }) => token)).size).toBe(1)
  expect(issuer.accepts(model.answers[0]?.token ?? '')).toBe(true)
})

test('Codex ended while the provider answers: the login survives, and the next one works', async () => {
  const { codex, codexHome, home, issuer } = await world({ accessTokenLifetime: -60 })
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const running = await startCodex(EXEC, { codexHome, env: { CODEX_AUTH_HOME: home } })
  await held.arrived
  // What was started is a launcher; the program itself is below it.
  for (const pid of childrenOf(running.pid)) process.kill(pid, 'SIGKILL')
  await running.ended
  held.release()
  const { exitCode, stdout } = await codex(...EXEC)
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${SENTENCE}\n` })
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
})

test.for([
  ['usual', 'model = "gpt-5"\n'],
  ['with a byte order mark and Windows line ends', '\uFEFFmodel = "gpt-5"\r\n[tools]\r\nweb_search = true'],
  [
    'with another provider in dotted keys',
    'model_providers.x.name = "x"\nmodel_providers.x.base_url = "http://x"\n',
  ],
  [
    'with another choice',
    'model_provider = "x" # mine\n[model_providers.x]\nname = "x"\nbase_url = "http://x"\n',
  ],
] as const)(
  'a configuration %s: Codex reads what we write, twice changes nothing, and undo gives it back',
  async ([, before]) => {
    const { codex, codexAuth, configuration, model } = await world({}, before)
    expect((await codex(...EXEC)).stdout).toBe(`${SENTENCE}\n`)
    const [content, { mtimeMs, ino }] = [readFileSync(configuration), statSync(configuration)]
    expect((await codexAuth('setup', 'codex', '--base-url', model.baseUrl)).exitCode).toBe(0)
    expect(readFileSync(configuration)).toEqual(content)
    expect(statSync(configuration)).toMatchObject({ mtimeMs, ino })
    expect((await codexAuth('setup', 'codex', '--undo')).exitCode).toBe(0)
    expect(readFileSync(configuration, 'utf8')).toBe(before)
  },
)

test('what Codex itself has added to its configuration since stays when ours is taken out', async () => {
  const before =
    'model_provider = "x" # mine\n\n# x\n[model_providers.x]\nname = "x"\nbase_url = "http://x"\n'
  const { codex, codexAuth, configuration } = await world({}, before)
  expect((await codex('mcp', 'add', 'tool', '--', 'echo', 'hi')).exitCode).toBe(0)
  expect((await codexAuth('setup', 'codex', '--undo')).exitCode).toBe(0)
  expect(readFileSync(configuration, 'utf8')).toBe(
    `${before}\n[mcp_servers.tool]\ncommand = "echo"\nargs = ["hi"]\n`,
  )
})

test('the command is the absolute path of the program', async () => {
  const { configuration } = await world()
  expect(readFileSync(configuration, 'utf8')).toContain(`auth.command = "${PROGRAM}"\n`)
})

function childrenOf(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return listed.split(' ').filter(Boolean).map(Number)
}
