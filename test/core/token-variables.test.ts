import { describe, expect, test } from 'vitest'
import type { IssuedToken } from '../../src/core/issued-token.ts'
import { parseVariableName, tokenVariables } from '../../src/core/token-variables.ts'
import { NOW } from '../support/credentials.ts'
import { thrown } from '../support/thrown.ts'

const CHATGPT = 'https://chatgpt.com/backend-api/codex'
const API = 'https://api.openai.com/v1'

const TOKEN: IssuedToken = {
  accessToken: 'the-token',
  tokenType: 'Bearer',
  expiresAt: NOW,
  expiresIn: 3600,
  accountId: 'account-1',
  baseUrl: CHATGPT,
  profile: 'default',
}

describe('the variables of a token', () => {
  test('say all that is known, whatever was there before', () => {
    expect(tokenVariables(TOKEN, 'MY_TOKEN', { OPENAI_BASE_URL: 'https://gateway.example/v1' })).toEqual([
      ['MY_TOKEN', 'the-token'],
      ['OPENAI_BASE_URL', CHATGPT],
      ['CODEX_AUTH_ACCOUNT_ID', 'account-1'],
      ['CODEX_AUTH_EXPIRES_AT', '2026-09-21T14:13:20Z'],
    ])
  })

  test('take out what is not known', () => {
    const token = { ...TOKEN, accountId: undefined, expiresAt: undefined }
    expect(tokenVariables(token, 'OPENAI_API_KEY', {})).toEqual([
      ['OPENAI_API_KEY', 'the-token'],
      ['OPENAI_BASE_URL', CHATGPT],
      ['CODEX_AUTH_ACCOUNT_ID', undefined],
      ['CODEX_AUTH_EXPIRES_AT', undefined],
    ])
  })

  test.each(['', 'a\0b'])('take out an account id that no variable can say (%j)', (accountId) => {
    const variables = new Map(tokenVariables({ ...TOKEN, accountId }, 'OPENAI_API_KEY', {}))
    expect([variables.has('CODEX_AUTH_ACCOUNT_ID'), variables.get('CODEX_AUTH_ACCOUNT_ID')]).toEqual([
      true,
      undefined,
    ])
  })

  test.each([
    ['is taken out when it is one of ours, from a token before', CHATGPT, true],
    ['is taken out when it is the other of ours', API, true],
    ["is left alone when it is the person's own", 'https://gateway.example/v1', false],
    ['is left alone when there is none', undefined, false],
  ])('whose base address is not known: it %s', (_, OPENAI_BASE_URL, takenOut) => {
    const token = { ...TOKEN, baseUrl: undefined }
    const names = tokenVariables(token, 'OPENAI_API_KEY', { OPENAI_BASE_URL }).map(([name]) => name)
    expect(names.includes('OPENAI_BASE_URL')).toBe(takenOut)
  })
})

describe('the name for the token', () => {
  test.each(['OPENAI_API_KEY', '_', 'a1', 'GH_TOKEN', 'CODEX_AUTH_TOKEN', 'OLD_PATH', 'LDAP'])(
    'can be %s',
    (name) => {
      expect(parseVariableName(name)).toBe(name)
    },
  )

  test.each([
    '',
    '1A',
    'A-B',
    'A B',
    'A=B',
    'A;id',
    'Ä',
    'A\n',
    '$(id)',
    'OPENAI_BASE_URL',
    'CODEX_AUTH_ACCOUNT_ID',
    'CODEX_AUTH_EXPIRES_AT',
    'CODEX_AUTH_PROFILE',
    'CODEX_AUTH_HOME',
    'PATH',
    // To zsh, the same as PATH; to Windows, too.
    'path',
    'IFS',
    'BASH_ENV',
    'NODE_OPTIONS',
    'LD_PRELOAD',
    'DYLD_INSERT_LIBRARIES',
  ])('cannot be %j', (name) => {
    expect(thrown(() => parseVariableName(name)).code).toBe('usage')
  })
})
