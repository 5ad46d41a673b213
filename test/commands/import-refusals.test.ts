import { chownSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codexAuth, codexFolder } from '../support/codex-auth.ts'
import { failedInWords } from '../support/expected-output.ts'
import { startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Ended, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  home = temporaryHome()
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

function run(words: string, folder: string): Promise<Ended> {
  return home.run(words, { env: { CODEX_HOME: folder } })
}

describe('what cannot be imported is told apart:', () => {
  const IN_FILE =
    'write cli_auth_credentials_store = "file" into Codex\'s config.toml, and codex login; or sign in here: codex-auth login'
  const AGAIN = 'sign in to Codex again (codex login), and run the command again'

  test.each([
    ['agentIdentity', 'an agent identity, whose key signs each request and works in Codex only'],
    ['bedrockApiKey', 'a key of Amazon Bedrock, which is none of OpenAI'],
    ['bedrockAccessKeys', 'access keys of Amazon Bedrock, which are none of OpenAI'],
    ['chatgptAuthTokens', 'tokens that another program gives it and renews (chatgptAuthTokens)'],
  ])('%s', async (auth_mode, what) => {
    const { folder } = codexFolder(codexAuth(issuer.issueLogin(), { auth_mode }))
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code: 4,
        message: `Codex uses ${what}: there is no login to import.`,
        next_step: 'codex-auth login',
      }),
    )
  })

  test.each([
    [
      'an unknown mode',
      '{"auth_mode":"telepathy"}',
      'has an auth_mode that this version does not know (telepathy)',
    ],
    ['no object', '[]', 'holds no JSON object'],
    ['half a file', '{"auth_mode": "chatg', 'is no whole JSON'],
    ['an empty file', '', 'is empty'],
    ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'is no UTF-8 text'],
    [
      'a key that is a number',
      '{"auth_mode":"apikey","OPENAI_API_KEY":5}',
      'has a value of the wrong kind for OPENAI_API_KEY',
    ],
    ['no id token', '{"tokens":{"access_token":"a","refresh_token":"r"}}', 'has no id_token'],
    ['no refresh token at all', '{"tokens":{"access_token":"a","id_token":"i"}}', 'has no refresh_token'],
    ['two objects of tokens', '{"tokens":{"refresh_token":"r"},"tokens":{}}', 'has tokens twice'],
    [
      'a name twice, once with an escape',
      String.raw`{"tokens":{"refresh_token":"r","refresh\u005ftoken":"r"}}`,
      'has refresh_token twice',
    ],
    [
      'two lines as a token',
      String.raw`{"auth_mode":"apikey","OPENAI_API_KEY":"a\nb"}`,
      'has a value that is no token for OPENAI_API_KEY',
    ],
  ])('%s', async (_what, text, fault) => {
    const { folder, path } = codexFolder(text)
    expect(await run('import codex', folder)).toEqual(
      failedInWords({ exit_code: 6, message: `Codex's file ${path} ${fault}.`, next_step: AGAIN }),
    )
  })

  test.each([
    ['no file', undefined, (path: string) => `there is no ${path}`],
    ['an empty object', '{}', (path: string) => `${path} holds no login`],
    ['no tokens', '{"auth_mode":"chatgpt","tokens":null}', (path: string) => `${path} holds no login`],
  ])('%s', async (_what, text, where) => {
    const { folder, path } = codexFolder(text)
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code: 4,
        message: `Nobody is signed in to Codex: ${where(path)}.`,
        next_step: 'codex login, or sign in here: codex-auth login',
      }),
    )
  })

  test.each([
    ['keyring', 6, "rests in the system's keyring"],
    ['ephemeral', 4, 'is kept nowhere and ends with each run'],
  ])('a store of the kind %s', async (kind, exit_code, where) => {
    const { folder, path } = codexFolder(codexAuth(issuer.issueLogin()))
    writeFileSync(join(folder, 'config.toml'), `model = "x"\ncli_auth_credentials_store = "${kind}"\n`)
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code,
        message: `Codex's login ${where} (cli_auth_credentials_store = "${kind}"), not in ${path}.`,
        next_step: IN_FILE,
      }),
    )
  })

  test('a keyring that Codex may use, with no file', async () => {
    const { folder, path } = codexFolder()
    writeFileSync(join(folder, 'config.toml'), 'cli_auth_credentials_store = "auto"\n')
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code: 4,
        message: `Nobody is signed in to Codex: there is no ${path}; it may rest in the system's keyring.`,
        next_step: IN_FILE,
      }),
    )
  })

  test.each([
    ['that is no TOML', 'a = 1\nb = = "key"\n', 'is no TOML at line 2'],
    [
      'with another kind of store',
      'cli_auth_credentials_store = "cloud"\n',
      'has a cli_auth_credentials_store that is none of file, auto, keyring, ephemeral',
    ],
  ])('a configuration %s', async (_what, text, fault) => {
    const { folder } = codexFolder(codexAuth(issuer.issueLogin()))
    const path = join(folder, 'config.toml')
    writeFileSync(path, text)
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code: 6,
        message: `Codex's configuration ${path} ${fault}.`,
        next_step: `mend ${path}`,
      }),
    )
  })

  test('a folder that is not there', async () => {
    const next_step = 'name the folder that Codex uses, or leave it out for ~/.codex'
    const folder = join(codexFolder().folder, 'gone')
    expect(await run('import codex', folder)).toEqual(
      failedInWords({ exit_code: 2, message: `CODEX_HOME names ${folder}, which is no folder.`, next_step }),
    )
    expect(await run(`import codex --codex-home ${folder}`, '')).toEqual(
      failedInWords({
        exit_code: 2,
        message: `--codex-home names ${folder}, which is no folder.`,
        next_step,
      }),
    )
  })

  test('a hard link, before anything is changed', async () => {
    const login = issuer.issueLogin()
    const { folder, path } = codexFolder(codexAuth(login))
    linkSync(path, join(folder, 'second'))
    const { exitCode, stderr } = await run('import codex', folder)
    expect({ exitCode, stderr: stderr.split('\n')[0] }).toEqual({
      exitCode: 7,
      stderr: `codex-auth: ${path} is a hard link, and Codex refuses those.`,
    })
    expect([home.kept(), readFileSync(path, 'utf8')]).toEqual([undefined, codexAuth(login)])
  })

  test.runIf(process.getuid?.() === 0)('a file of another user, who could not read the new one', async () => {
    const { folder, path } = codexFolder(codexAuth(issuer.issueLogin()))
    chownSync(path, 1234, 1234)
    expect(await run('import codex', folder)).toEqual(
      failedInWords({
        exit_code: 7,
        message: `${path} belongs to another user (uid 1234).`,
        next_step: 'run this as that user',
      }),
    )
    expect(home.kept()).toBeUndefined()
  })

  test('a folder in its place', async () => {
    const { folder, path } = codexFolder()
    mkdirSync(path)
    const message = `Codex's file ${path} cannot be read (EISDIR).`
    expect(await run('import codex', folder)).toEqual(
      failedInWords({ exit_code: 6, message, next_step: `ls -ld ${path}` }),
    )
  })
})
