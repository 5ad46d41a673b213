import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failed, failedInWords } from '../support/expected-output.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let home: Home
let file: string

beforeEach(() => {
  home = temporaryHome()
  file = join(home.path, 'config.json')
})

afterEach(() => home.remove([]))

const NONE = {
  profile: null,
  provider: null,
  issuer: null,
  client_id: null,
  scopes: null,
  ports: null,
  redirect_host: null,
  key_source: null,
  browser: null,
  lock_wait: null,
  chatgpt_base_url: null,
  openai_base_url: null,
}

function written(): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function silent(stdout: string) {
  return { exitCode: 0, stdout, stderr: '' }
}

describe('config set', () => {
  test.each([
    ['profile', 'work', 'work', 'work'],
    ['provider', 'oidc', 'oidc', 'oidc'],
    ['issuer', 'https://auth.example.com', 'https://auth.example.com', 'https://auth.example.com'],
    ['client_id', 'my-app', 'my-app', 'my-app'],
    ['client-id', 'my-app', 'my-app', 'my-app'],
    ['scopes', 'openid offline_access', ['openid', 'offline_access'], 'openid offline_access'],
    ['ports', '1455,1457', [1455, 1457], '1455 1457'],
    ['ports', '0', [0], '0'],
    ['redirect_host', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['key_source', 'file', 'file', 'file'],
    ['browser', 'firefox', 'firefox', 'firefox'],
    ['lock_wait', '2m', 120, '120'],
    ['openai_base_url', 'http://[::1]:9000/v1/', 'http://[::1]:9000/v1', 'http://[::1]:9000/v1'],
  ])('%s %s is kept, and read back by get and list', async (given, words, value, text) => {
    const name = given.replace('-', '_')
    expect(await home.run(`config set ${given} ${words}`)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `${name} is now ${text}.\n`,
    })
    expect(written()).toEqual({ [name]: value })
    expect(await home.run(`config get ${given}`)).toEqual(silent(`${text}\n`))
    expect(await home.run('config list')).toEqual(silent(`${name}=${text}\n`))
    const { stdout: got } = await home.run(`config get ${given} --json`)
    expect(JSON.parse(got)).toEqual({ schema_version: 1, [name]: value })
    const { stdout: listed } = await home.run('config list --json')
    expect(JSON.parse(listed)).toEqual({ schema_version: 1, settings: { ...NONE, [name]: value } })
  })

  test('leaves the other settings alone, also those it does not know', async () => {
    writeFileSync(file, '{"profile":"work","of_a_later_version":{"a":1}}')
    expect(await home.run('config set browser none --json --quiet')).toEqual(
      silent(`{"schema_version":1,"setting":"browser","path":"${file}"}\n`),
    )
    expect(written()).toEqual({ profile: 'work', of_a_later_version: { a: 1 }, browser: 'none' })
  })

  test('makes the folder and the file for their owner only', async () => {
    const root = join(home.path, 'new', 'home')
    await home.run('config set browser none', { env: { CODEX_AUTH_HOME: root } })
    const modes = [root, join(root, 'config.json')].map((path) => (statSync(path).mode & 0o777).toString(8))
    expect(modes).toEqual(['700', '600'])
  })

  test.each([
    ['profile', 'a/b', '"a/b" is not a profile name.', expect.stringMatching(/^use letters, digits/)],
    ['provider', 'google', '"google" is no value for provider.', 'provider is openai or oidc'],
    [
      'ports',
      '1455 http',
      '"1455 http" is no value for ports.',
      'ports is port numbers separated by spaces or commas, as in 1455,1457 (0 is any free port)',
    ],
    [
      'ports',
      '70000',
      '"70000" is no value for ports.',
      'ports is port numbers separated by spaces or commas, as in 1455,1457 (0 is any free port)',
    ],
    [
      'redirect_host',
      'example.com',
      '"example.com" is no value for redirect_host.',
      'redirect_host is localhost or 127.0.0.1',
    ],
    ['key_source', 'cloud', '"cloud" is no value for key_source.', 'key_source is file'],
    [
      'lock_wait',
      'soon',
      '"soon" is not a duration.',
      'write seconds, or a number with a unit: 90, 90s, 30m, 12h, 7d',
    ],
  ])('%s %s is refused with the right form', async (name, words, message, nextStep) => {
    const { stderr, ...rest } = await home.run(`config set ${name} ${words}`)
    expect(rest).toEqual({ exitCode: 2, stdout: '' })
    const [, told, next] = /^codex-auth: (.*)\n {2}Next: (.*)\n$/.exec(stderr) ?? []
    expect({ told, next }).toEqual({ told: message, next: nextStep })
    expect(existsSync(file)).toBe(false)
  })

  test('refuses an empty value', async () => {
    expect(await home.run(['config', 'set', 'issuer', ''])).toEqual(
      failedInWords({
        exit_code: 2,
        message: 'This is no value for issuer.',
        next_step: 'issuer is an address without a user or password, as in https://auth.example.com',
      }),
    )
  })

  test('keeps no password, and does not repeat it', async () => {
    expect(await home.run('config set issuer https://me:secret-password@auth.example.com')).toEqual(
      failedInWords({
        exit_code: 2,
        message: 'This is no value for issuer.',
        next_step: 'issuer is an address without a user or password, as in https://auth.example.com',
      }),
    )
    expect(existsSync(join(home.path, 'config.json'))).toBe(false)
  })
})

test.each(['get', 'unset', 'set'])('config %s of a name that is none tells all names', async (command) => {
  const words = ['config', command, 'colour', ...(command === 'set' ? ['blue'] : [])]
  expect(await home.run([...words, '--json'])).toEqual(
    failed({
      code: 'usage',
      exit_code: 2,
      message: 'There is no setting "colour".',
      next_step:
        'choose one of: profile, provider, issuer, client_id, scopes, ports, redirect_host, key_source, browser, lock_wait, chatgpt_base_url, openai_base_url',
    }),
  )
})

test('config get of what is not set prints nothing, or null with --json', async () => {
  expect(await home.run('config get issuer')).toEqual(silent(''))
  expect(await home.run('config get issuer --json')).toEqual(silent('{"schema_version":1,"issuer":null}\n'))
  expect(await home.run('config list')).toEqual(silent(''))
  expect(existsSync(file)).toBe(false)
})

test('config unset goes back to the default', async () => {
  await home.run('config set issuer https://auth.example.com')
  await home.run('config set browser none')
  expect(await home.run('config unset issuer')).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: 'issuer has its default again.\n',
  })
  expect(written()).toEqual({ browser: 'none' })
  expect(await home.run('config unset issuer --quiet')).toEqual(silent(''))
})

test('config path prints where the file is, whether or not there is one', async () => {
  expect(await home.run('config path')).toEqual(silent(`${file}\n`))
  expect(await home.run('config path --json')).toEqual(silent(`{"schema_version":1,"path":"${file}"}\n`))
})

describe('a settings file that cannot be used', () => {
  const commands = [
    'token',
    'status',
    'login --if-needed',
    'profile list',
    'config list',
    'config get issuer',
  ]

  async function everyCommand() {
    return Promise.all(commands.map((words) => home.run(`${words} --json`)))
  }

  test('is told by every command, and kept (no JSON)', async () => {
    writeFileSync(file, '{"issuer": "https://')
    const failure = failed({
      code: 'usage',
      exit_code: 2,
      message: `The settings file ${file} is not valid JSON.`,
      next_step: 'mend or remove the file: codex-auth config path',
    })
    expect(await everyCommand()).toEqual(commands.map(() => failure))
    expect(await home.run('config set browser none --json')).toEqual(failure)
    expect(await home.run('config unset browser --json')).toEqual(failure)
    expect(await home.run('config path')).toEqual(silent(`${file}\n`))
    expect(readFileSync(file, 'utf8')).toBe('{"issuer": "https://')
  })

  test('is told by every command (no object)', async () => {
    writeFileSync(file, '[]')
    const failure = failed({
      code: 'usage',
      exit_code: 2,
      message: `The settings file ${file} must hold one JSON object.`,
      next_step: 'mend or remove the file: codex-auth config path',
    })
    expect(await everyCommand()).toEqual(commands.map(() => failure))
  })

  test('is told by every command (no file)', async () => {
    mkdirSync(file)
    const failure = failed({
      code: 'usage',
      exit_code: 2,
      message: `The settings file ${file} cannot be read (EISDIR).`,
      next_step: 'mend or remove the file: codex-auth config path',
    })
    expect(await everyCommand()).toEqual(commands.map(() => failure))
  })

  test.each([
    ['profile', '"a/b"', 'a profile name, as in work'],
    ['ports', '["1455"]', 'port numbers separated by spaces or commas, as in 1455,1457 (0 is any free port)'],
    ['scopes', '[]', 'scopes separated by spaces, as in "openid offline_access"'],
    ['lock_wait', '-1', 'a duration, as in 30s'],
    ['key_source', '"keyring"', 'file'],
  ])('is told by every command (%s is %s), and mended by the next step', async (name, value, form) => {
    writeFileSync(file, `{"${name}":${value}}`)
    const next = `codex-auth config unset ${name}`
    const failure = failed({
      code: 'usage',
      exit_code: 2,
      message: `The setting ${name} in ${file} must be ${form}.`,
      next_step: next,
    })
    expect(await everyCommand()).toEqual(commands.map(() => failure))
    expect(await home.run(next.replace('codex-auth ', ''))).toMatchObject({ exitCode: 0 })
    expect(await home.run('config list')).toEqual(silent(''))
  })
})
