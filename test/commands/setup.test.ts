import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sampleCredential, secretsOf } from '../support/credentials.ts'
import { temporaryHome, type Ended, type Home, type RunOptions } from '../support/fake-surroundings.ts'
import { jwt } from '../support/fake-issuer.ts'
import { recordSecret } from '../support/secrets.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

let home: Home
let codexHome: string
let path: string
const credential = sampleCredential()

beforeEach(async () => {
  home = temporaryHome()
  codexHome = temporaryFolder()
  path = join(codexHome, 'config.toml')
  await home.keep(credential)
})

afterEach(() => home.remove(secretsOf(credential)))

/** Started by the script that npm links into a folder of programs. */
function run(words: string, options: RunOptions = {}): Promise<Ended> {
  return home.run(words, {
    script: process.execPath,
    ...options,
    env: { CODEX_HOME: codexHome, ...options.env },
  })
}

function table(changes: Readonly<Record<string, string>> = {}): string {
  const lines: Record<string, string> = {
    name: '"codex-auth"',
    base_url: '"https://chatgpt.com/backend-api/codex"',
    wire_api: '"responses"',
    http_headers: '{ ChatGPT-Account-ID = "account-1" }',
    'auth.command': JSON.stringify(process.execPath),
    'auth.args': '["token", "--profile", "default", "--timeout", "4s"]',
    'auth.timeout_ms': '10000',
    ...changes,
  }
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
}

const CHOICE = 'model_provider = "codex-auth" # codex-auth setup codex\n'
const MARK = '# Written by codex-auth setup codex; taken out again by codex-auth setup codex --undo'

describe('setup codex', () => {
  test('writes a provider whose token we give, says what has changed, and does nothing the second time', async () => {
    writeFileSync(path, 'model = "gpt-5"\nmodel_provider = "mine"\n', { mode: 0o640 })
    expect(await run('setup codex')).toEqual({
      exitCode: 0,
      stdout: `Changed ${path}:\n  [model_providers.codex-auth] runs ${process.execPath} token\n  model_provider = "codex-auth" (before: "mine")\n`,
      stderr: `codex-auth: warning: Codex finds this login only when it is started with CODEX_AUTH_HOME=${home.path} as well.\n`,
    })
    const written = `model = "gpt-5"\n# codex-auth setup codex, before: model_provider = "mine"\n${CHOICE}\n${MARK}\n[model_providers.codex-auth]\n${table()}`
    expect(readFileSync(path, 'utf8')).toBe(written)
    expect(readdirSync(codexHome)).toEqual(['config.toml'])
    const { ino, mtimeMs, mode } = statSync(path)
    expect(mode & 0o777).toBe(0o640)
    const again = await run('setup codex')
    expect(again).toMatchObject({ exitCode: 0, stdout: '' })
    expect(again.stderr).toContain(`${path} is set up already; it has not been changed.\n`)
    expect(statSync(path)).toMatchObject({ ino, mtimeMs })
  })

  test('--undo gives every byte back', async () => {
    const before = 'model_provider = "mine" # why\r\n[x]\r\ny = 1'
    writeFileSync(path, before)
    await run('setup codex')
    expect(await run('setup codex --undo')).toEqual({
      exitCode: 0,
      stdout: `Changed ${path}:\n  [model_providers.codex-auth] is out\n  model_provider = "mine" (before: "codex-auth")\n`,
      stderr: '',
    })
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(await run('setup codex --undo')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `There is nothing of ours in ${path}; it has not been changed.\n`,
    })
  })

  test('makes a file for its owner only where there is none, and --undo removes it', async () => {
    expect((await run('setup codex')).exitCode).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(
      `${CHOICE}\n${MARK} (with this file)\n[model_providers.codex-auth]\n${table()}`,
    )
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await run('setup codex --undo')).toEqual({
      exitCode: 0,
      stdout: `Removed ${path}, which had been made by us.\n`,
      stderr: '',
    })
    expect(existsSync(path)).toBe(false)
  })

  test('--print shows the lines as a document, and writes nothing', async () => {
    expect(await run('setup codex --print')).toEqual({
      exitCode: 0,
      stdout: `model_provider = "codex-auth"\n\n[model_providers.codex-auth]\n${table()}`,
      stderr: '',
    })
    expect(readdirSync(codexHome)).toEqual([])
  })

  test('--json says it as one object', async () => {
    const { stdout } = await run('setup codex --json --profile default --base-url http://127.0.0.1:8080/v1')
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      path,
      changed: true,
      file: 'created',
      model_provider: 'codex-auth',
      model_provider_before: null,
      profile: 'default',
      account_id: 'account-1',
      base_url: 'http://127.0.0.1:8080/v1',
      command: process.execPath,
      args: ['token', '--profile', 'default', '--timeout', '4s'],
    })
    expect(JSON.parse((await run('setup codex --undo --json')).stdout)).toEqual({
      schema_version: 1,
      path,
      changed: true,
      file: 'removed',
      model_provider: null,
      model_provider_before: 'codex-auth',
    })
  })

  test('another profile, an API key, and a script that the system does not start', async () => {
    const key = sampleCredential({ method: 'api_key', refreshToken: undefined, idToken: undefined })
    await home.keep(key, 'work')
    const { stdout } = await run('setup codex --print --profile work', { script: '/opt/codex-auth.js' })
    expect(stdout).toBe(
      `model_provider = "codex-auth"\n\n[model_providers.codex-auth]\n${table({
        base_url: '"https://api.openai.com/v1"',
        'auth.command': '"/usr/bin/node"',
        'auth.args': '["/opt/codex-auth.js", "token", "--profile", "work", "--timeout", "4s"]',
      }).replace(/http_headers.*\n/, '')}`,
    )
  })

  test('a folder of programs that fnm makes for one shell is not named, but what it is a link to', async () => {
    const [installation, shells] = [temporaryFolder(), join(temporaryFolder(), 'fnm_multishells')]
    for (const folder of [shells, join(installation, 'bin')]) mkdirSync(folder)
    symlinkSync(process.execPath, join(installation, 'bin/codex-auth'))
    symlinkSync(installation, join(shells, '4711_1700000000000'))
    const script = join(shells, '4711_1700000000000/bin/codex-auth')
    const { stdout } = await run('setup codex --print', { script })
    expect(stdout).toContain(
      `auth.command = ${JSON.stringify(join(realpathSync(installation), 'bin/codex-auth'))}\n`,
    )
  })

  test('a FedRAMP account is told by its id token', async () => {
    const claims = { 'https://api.openai.com/auth': { chatgpt_account_is_fedramp: true } }
    const idToken = jwt(claims)
    recordSecret(idToken, 'id_token')
    await home.keep({ ...credential, idToken })
    expect((await run('setup codex --print')).stdout).toContain(
      'http_headers = { ChatGPT-Account-ID = "account-1", X-OpenAI-Fedramp = "true" }\n',
    )
  })

  test('a link stays, and the file it leads to is changed', async () => {
    const elsewhere = join(temporaryFolder(), 'dotfiles.toml')
    writeFileSync(elsewhere, 'a = 1\n')
    symlinkSync(elsewhere, path)
    await run('setup codex')
    expect(readlinkSync(path)).toBe(elsewhere)
    expect(readFileSync(elsewhere, 'utf8')).toContain('[model_providers.codex-auth]')
    await run('setup codex --undo')
    expect(readFileSync(elsewhere, 'utf8')).toBe('a = 1\n')
  })

  test('a link that leads nowhere yet gets its file there', async () => {
    const elsewhere = join(temporaryFolder(), 'dotfiles.toml')
    symlinkSync(elsewhere, path)
    await run('setup codex')
    expect(readlinkSync(path)).toBe(elsewhere)
    expect(statSync(elsewhere).mode & 0o777).toBe(0o600)
  })

  test('a link to a link that leads nowhere yet: both stay, and --undo takes the file away again', async () => {
    const [elsewhere, between] = [join(temporaryFolder(), 'dotfiles.toml'), join(codexHome, 'between')]
    symlinkSync(elsewhere, between)
    symlinkSync('between', path)
    await run('setup codex')
    expect([readlinkSync(path), readlinkSync(between), existsSync(elsewhere)]).toEqual([
      'between',
      elsewhere,
      true,
    ])
    await run('setup codex --undo')
    expect([readlinkSync(path), readlinkSync(between), existsSync(elsewhere)]).toEqual([
      'between',
      elsewhere,
      false,
    ])
  })

  test('a link in a linked folder leads on from where that folder lies', async () => {
    const dotfiles = temporaryFolder()
    const [folder, elsewhere] = [join(dotfiles, 'codex'), join(dotfiles, 'shared.toml')]
    mkdirSync(folder)
    symlinkSync('../shared.toml', join(folder, 'config.toml'))
    symlinkSync(folder, join(codexHome, 'linked'))
    await run('setup codex', { env: { CODEX_HOME: join(codexHome, 'linked') } })
    expect([existsSync(elsewhere), existsSync(join(codexHome, 'shared.toml'))]).toEqual([true, false])
  })

  test('without CODEX_HOME it is ~/.codex, made where it is not there', async () => {
    const person = temporaryFolder()
    await run('setup codex', { env: { CODEX_HOME: '', HOME: person } })
    expect(existsSync(join(person, '.codex/config.toml'))).toBe(true)
    expect(statSync(join(person, '.codex')).mode & 0o777).toBe(0o700)
  })
})

describe('setup codex, refused', () => {
  test('nobody is signed in', async () => {
    expect(await run('setup codex --profile nobody')).toEqual({
      exitCode: 4,
      stdout: '',
      stderr:
        'codex-auth: Nobody is signed in to the profile "nobody".\n  Next: codex-auth login --profile nobody\n',
    })
    expect(readdirSync(codexHome)).toEqual([])
  })

  test('a login of another provider, without an address', async () => {
    await home.keep({ ...credential, provider: 'oidc', method: 'oauth', issuer: 'https://login.example.com' })
    expect(await run('setup codex')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'codex-auth: This login is of no provider whose API address is known.\n  Next: name the address: codex-auth setup codex --base-url https://api.example.com/v1\n',
    })
    expect((await run('setup codex --base-url https://api.example.com/v1')).exitCode).toBe(0)
  })

  test.for(['http://api.example.com/v1', 'api.example.com', 'https://me:secret@api.example.com/'])(
    'an address that a token must not go to: %s',
    async (address) => {
      const ended = await run(`setup codex --base-url ${address}`)
      expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
      expect(ended.stderr).not.toContain('secret')
    },
  )

  test.for([
    ['that is not there', 'none'],
    ['that is a file', 'file'],
    ['below a file', 'file/codex'],
    ['that is a link to itself', 'loop'],
  ] as const)('a CODEX_HOME %s, as Codex itself refuses it', async ([, name]) => {
    writeFileSync(join(codexHome, 'file'), '')
    symlinkSync('loop', join(codexHome, 'loop'))
    const folder = join(codexHome, name)
    expect(await run('setup codex', { env: { CODEX_HOME: folder } })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `codex-auth: CODEX_HOME names ${folder}, which is no folder.\n  Next: name the folder that Codex uses, or leave it out for ~/.codex\n`,
    })
  })

  test.for([
    ['no TOML', 'a = "secret\n', 'is not valid TOML (line 1, column 12); it stays as it is'],
    ['no UTF-8', Buffer.from([0x61, 0x20, 0x3d, 0x20, 0x22, 0xff, 0x22]), 'cannot be read: it is not UTF-8'],
    [
      'an inline table of providers',
      'model_providers = {}\n',
      'cannot be edited without touching what is not ours',
    ],
  ] as const)('a file that is %s stays as it is', async ([, content, message]) => {
    writeFileSync(path, content)
    const { mtimeMs } = statSync(path)
    const ended = await run('setup codex')
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain(`${path} ${message}`)
    expect(ended.stderr).not.toContain('secret')
    expect(readFileSync(path)).toEqual(Buffer.from(content))
    expect(statSync(path).mtimeMs).toBe(mtimeMs)
  })

  test('a folder that takes no file', async () => {
    mkdirSync(path)
    chmodSync(path, 0o755)
    expect(await run('setup codex')).toMatchObject({ exitCode: 2, stdout: '' })
  })

  test('--undo goes alone', async () => {
    expect(await run('setup codex --undo --print')).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

describe('setup codex warns', () => {
  test.for([
    ['npx', { script: '/home/a/.npm/_npx/1f/node_modules/.bin/codex-auth' }, 'is for one call only'],
    [
      'pnpm dlx',
      { script: '/home/a/.cache/pnpm/dlx/1f/node_modules/.bin/codex-auth' },
      'is for one call only',
    ],
    ['yarn dlx', { script: '/tmp/xfs-1f/dlx-42/node_modules/.bin/codex-auth' }, 'is for one call only'],
    [
      'bunx',
      { script: '/tmp/bunx-1000-codex-auth@latest/node_modules/.bin/codex-auth' },
      'is for one call only',
    ],
    [
      'a token in the environment',
      { env: { CODEX_AUTH_TOKEN: 'sk-example' } },
      'CODEX_AUTH_TOKEN is set and wins',
    ],
  ] as const)('of %s', async ([, options, warning]) => {
    expect((await run('setup codex', options)).stderr).toContain(warning)
  })

  test('of a Codex profile with a provider of its own', async () => {
    writeFileSync(path, '[profiles.fast]\nmodel_provider = "groq"\n')
    expect((await run('setup codex')).stderr).toContain(
      'codex-auth: warning: the Codex profile "fast" names another model_provider, which wins.\n',
    )
  })
})
