import { describe, expect, test } from 'vitest'
import {
  formatSetting,
  parseSetting,
  parseSettings,
  SETTING_NAMES,
  settingName,
  type SettingName,
  type SettingValue,
} from '../../src/core/settings.ts'
import { thrown } from '../support/thrown.ts'

const NAMES =
  'profile, provider, issuer, client_id, scopes, ports, redirect_host, key_source, browser, lock_wait, ' +
  'chatgpt_base_url, openai_base_url'

const FORMS: Record<SettingName, string> = {
  profile: 'a profile name, as in work',
  provider: 'openai or oidc',
  issuer: 'an address without a user or password, as in https://auth.example.com',
  client_id: 'the client id registered at the provider',
  scopes: 'scopes separated by spaces, as in "openid offline_access"',
  ports: 'port numbers separated by spaces or commas, as in 1455,1457 (0 is any free port)',
  redirect_host: 'localhost or 127.0.0.1',
  key_source: 'file',
  browser: 'a program, as in firefox, or none to only print the address',
  lock_wait: 'a duration, as in 30s',
  chatgpt_base_url:
    'an https address, as in https://chatgpt.com/backend-api (http only for 127.0.0.1, [::1] and localhost)',
  openai_base_url:
    'an https address, as in https://api.openai.com/v1 (http only for 127.0.0.1, [::1] and localhost)',
}

describe('the name of a setting', () => {
  test('is one of twelve', () => {
    expect(SETTING_NAMES.join(', ')).toBe(NAMES)
  })

  test.each(['client_id', 'client-id'])('may be written as %s', (name) => {
    expect(settingName(name)).toBe('client_id')
  })

  test.each(['', 'Profile', 'client id', 'toString', '__proto__', 'scope'])('is not %j', (name) => {
    expect(thrown(() => settingName(name))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: `There is no setting ${JSON.stringify(name)}.`,
      nextStep: `choose one of: ${NAMES}`,
    })
  })
})

const GOOD: [SettingName, string, SettingValue, string][] = [
  ['profile', 'work', 'work', 'work'],
  ['provider', 'oidc', 'oidc', 'oidc'],
  ['provider', 'openai', 'openai', 'openai'],
  ['issuer', 'https://auth.example.com', 'https://auth.example.com', 'https://auth.example.com'],
  ['client_id', 'app 1', 'app 1', 'app 1'],
  ['scopes', ' openid  offline_access\t', ['openid', 'offline_access'], 'openid offline_access'],
  ['scopes', 'openid', ['openid'], 'openid'],
  ['ports', '1455,1457', [1455, 1457], '1455 1457'],
  ['ports', ' 0 , 65535 ', [0, 65_535], '0 65535'],
  ['redirect_host', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['redirect_host', 'localhost', 'localhost', 'localhost'],
  ['key_source', 'file', 'file', 'file'],
  ['browser', 'none', 'none', 'none'],
  ['lock_wait', '2m', 120, '120'],
  ['lock_wait', '0', 0, '0'],
  [
    'chatgpt_base_url',
    'http://127.0.0.1:9000/backend-api/',
    'http://127.0.0.1:9000/backend-api',
    'http://127.0.0.1:9000/backend-api',
  ],
  ['openai_base_url', 'https://a.example/v1', 'https://a.example/v1', 'https://a.example/v1'],
]

const BAD: [SettingName, string][] = [
  ['provider', 'github'],
  ['provider', 'OpenAI'],
  ['provider', ''],
  ['client_id', ''],
  ['scopes', ''],
  ['scopes', ' , '],
  ['ports', ''],
  ['ports', '-1'],
  ['ports', '65536'],
  ['ports', '1455,x'],
  ['ports', '80.5'],
  ['ports', '0x5AF'],
  ['ports', '1e3'],
  ['ports', '+80'],
  ['redirect_host', '::1'],
  ['redirect_host', '0.0.0.0'],
  ['key_source', 'keyring'],
  ['browser', ''],
]

describe('a setting on the command line', () => {
  test.each(GOOD)('%s may be %j', (name, text, value, formatted) => {
    expect(parseSetting(name, text)).toEqual(value)
    expect(formatSetting(value)).toBe(formatted)
    expect(parseSetting(name, formatted)).toEqual(value)
  })

  test.each(BAD)('%s may not be %j', (name, text) => {
    expect(thrown(() => parseSetting(name, text))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: `${JSON.stringify(text)} is no value for ${name}.`,
      nextStep: `${name} is ${FORMS[name]}`,
    })
  })

  test.each([
    '',
    'auth.example.com',
    'ftp://auth.example.com',
    'https://',
    'https://ada@auth.example.com',
    'https://ada:hunter2@auth.example.com',
    'https://:hunter2@auth.example.com',
  ])('issuer may not be %j, which is not repeated', (text) => {
    expect(thrown(() => parseSetting('issuer', text))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: 'This is no value for issuer.',
      nextStep: `issuer is ${FORMS.issuer}`,
    })
  })

  test('a place for tokens may not be one that others can listen to', () => {
    expect(thrown(() => parseSetting('chatgpt_base_url', 'http://ada:hunter2@chatgpt.com'))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: 'This is no value for chatgpt_base_url.',
      nextStep: `chatgpt_base_url is ${FORMS.chatgpt_base_url}`,
    })
  })

  test('profile may not be what is no profile name', () => {
    expect(thrown(() => parseSetting('profile', 'a/b'))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: '"a/b" is not a profile name.',
      nextStep:
        'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work',
    })
  })

  test('lock_wait may not be what is no duration', () => {
    expect(thrown(() => parseSetting('lock_wait', 'soon'))).toEqual({
      code: 'usage',
      exitCode: 2,
      message: '"soon" is not a duration.',
      nextStep: 'write seconds, or a number with a unit: 90, 90s, 30m, 12h, 7d',
    })
  })

  test('is quoted only at its beginning when it is wrong', () => {
    const { message } = thrown(() => parseSetting('provider', 'x'.repeat(500)))
    expect(message).toBe(`"${'x'.repeat(80)}" is no value for provider.`)
  })
})

const PATH = '/home/ada/.config/codex-auth/config.json'

function corrupt(message: string, nextStep = 'mend or remove the file: codex-auth config path') {
  return { code: 'settings_corrupt', exitCode: 2, message, nextStep }
}

const WRONG: [SettingName, unknown[]][] = [
  ['profile', [null, 1, '', 'a/b', ['work']]],
  ['provider', [null, 1, '', 'github', ['oidc']]],
  ['issuer', [null, 1, '', {}, 'auth', 'ftp://auth.example.com', 'https://ada:hunter2@auth.example.com']],
  ['client_id', [null, 1, '', {}]],
  ['scopes', [null, 'openid', [], [''], [1], {}]],
  ['ports', [null, 1455, '1455', [], ['1455'], [-1], [65_536], [80.5], [null]]],
  ['redirect_host', [null, '::1', '']],
  ['key_source', [null, 'keyring', '']],
  ['browser', [null, '', true]],
  ['lock_wait', [null, '30s', -1, [30]]],
  ['chatgpt_base_url', [null, 1, '', 'http://chatgpt.com', 'https://a:b@chatgpt.com', 'https://a/?b']],
  ['openai_base_url', [null, 'http://10.0.0.1/v1', ['https://api.openai.com/v1']]],
]

describe('the settings file', () => {
  test('may hold every setting', () => {
    const settings = Object.fromEntries(GOOD.map(([name, , value]) => [name, value]))
    expect(Object.keys(settings)).toEqual([...SETTING_NAMES])
    expect(parseSettings(JSON.stringify(settings), PATH)).toEqual(settings)
  })

  test('may be empty of settings', () => {
    expect(parseSettings(' {}\n', PATH)).toEqual({})
  })

  test('may hold settings of a later version', () => {
    const settings = { profile: 'work', theme: { dark: true }, telemetry: null }
    expect(parseSettings(JSON.stringify(settings), PATH)).toEqual(settings)
  })

  test.each(WRONG.flatMap(([name, values]) => values.map((value) => ({ name, value }))))(
    'is refused when its $name is $value, and says which one to unset',
    ({ name, value }) => {
      const json = JSON.stringify({ profile: 'work', [name]: value })
      expect(thrown(() => parseSettings(json, PATH))).toEqual(
        corrupt(`The setting ${name} in ${PATH} must be ${FORMS[name]}.`, `codex-auth config unset ${name}`),
      )
    },
  )

  test.each(['[]', 'null', '5', '"text"', 'true'])('is refused when it is %s', (json) => {
    expect(thrown(() => parseSettings(json, PATH))).toEqual(
      corrupt(`The settings file ${PATH} must hold one JSON object.`),
    )
  })

  test.each(['', ' ', '{', '{"profile": work}', "{'profile': 'work'}", '{} {}', '\0'])(
    'is refused when it is %j',
    (json) => {
      expect(thrown(() => parseSettings(json, PATH))).toEqual(
        corrupt(`The settings file ${PATH} is not valid JSON.`),
      )
    },
  )
})
