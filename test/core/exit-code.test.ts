import { describe, expect, test } from 'vitest'
import {
  EXIT_CODES,
  exitCode,
  exitName,
  isPassing,
  nextStep,
  type ExitName,
} from '../../src/core/exit-code.ts'
import { AuthError, type ErrorCode } from '../../src/errors.ts'

const LATER = 'try again in a moment; what is stored has not changed'

/** Every way to fail: how the program ends, and what a person in the profile `work` is told to do. */
const TABLE: Record<ErrorCode, [ExitName, number, string]> = {
  usage: ['usage', 2, 'codex-auth --help'],
  settings_corrupt: ['usage', 2, 'mend or remove the file: codex-auth config path'],
  short_lived: ['short_lived', 3, 'codex-auth refresh --profile work'],
  not_logged_in: ['login_required', 4, 'codex-auth login --profile work'],
  not_refreshable: ['login_required', 4, 'codex-auth login --profile work'],
  refresh_refused: ['login_required', 4, 'codex-auth login --profile work'],
  token_refused: [
    'login_required',
    4,
    'codex-auth refresh --profile work; if that is refused too: codex-auth login --profile work',
  ],
  no_api_key: [
    'login_required',
    4,
    'use the access token (codex-auth token --profile work), or a key from https://platform.openai.com/api-keys',
  ],
  network: ['provider_unavailable', 5, 'check the network and try again; what is stored has not changed'],
  timeout: ['provider_unavailable', 5, LATER],
  rate_limited: ['provider_unavailable', 5, LATER],
  provider_failed: ['provider_unavailable', 5, LATER],
  invalid_answer: [
    'provider_unavailable',
    5,
    'check for a proxy or captive portal and try again; what is stored has not changed',
  ],
  not_verifiable: ['provider_unavailable', 5, 'leave out --verify; what is stored has not changed'],
  store_corrupt: ['store_unreadable', 6, 'codex-auth login --profile work'],
  store_newer: ['store_unreadable', 6, 'npm install -g codex-auth@latest'],
  store_insecure: ['store_unreadable', 6, 'codex-auth status --profile work'],
  store_rolled_back: ['store_unreadable', 6, 'codex-auth login --profile work'],
  foreign_machine: ['store_unreadable', 6, 'codex-auth login --profile work'],
  key_missing: ['store_unreadable', 6, 'codex-auth login --profile work'],
  key_mismatch: ['store_unreadable', 6, 'codex-auth login --profile work'],
  codex_unreadable: [
    'store_unreadable',
    6,
    'sign in to Codex again (codex login), and run the command again',
  ],
  store_busy: ['store_unwritable', 7, 'wait for the other process, or end it'],
  store_unwritable: ['store_unwritable', 7, 'free the disk or mend the permissions, and try again'],
  login_denied: ['login_incomplete', 8, 'codex-auth login --profile work'],
  login_failed: ['login_incomplete', 8, 'codex-auth login --profile work'],
  login_timeout: ['login_incomplete', 8, 'codex-auth login --profile work'],
  no_redirect_port: ['login_incomplete', 8, 'codex-auth login --profile work'],
  wrong_account: ['login_incomplete', 8, 'codex-auth login --profile work'],
  taken_over: ['login_incomplete', 8, 'finish the other sign-in'],
  interaction_required: ['interaction_required', 9, 'codex-auth login --no-browser --profile work'],
  command_not_executable: [
    'command_not_executable',
    126,
    'check that it is a program, and that you may run it',
  ],
  command_not_found: [
    'command_not_found',
    127,
    'check its name, PATH, and the interpreter that its first line names',
  ],
  interrupted: ['interrupted', 130, 'run the command again'],
  terminated: ['terminated', 143, 'run the command again'],
}
const CODES = Object.keys(TABLE) as ErrorCode[]

describe('every failure', () => {
  test.each(CODES)('%s has an exit code and a next step', (code) => {
    const error = new AuthError(code, 'It failed.')
    expect([exitName(code), exitCode(exitName(code)), nextStep(error, ' --profile work')]).toEqual(
      TABLE[code],
    )
  })

  test.each(CODES)('%s names no profile where none is needed', (code) => {
    const step = TABLE[code][2].replaceAll(' --profile work', '')
    expect(nextStep(new AuthError(code, 'It failed.'), '')).toBe(step)
  })

  test('that knows better says its own next step', () => {
    const error = new AuthError('store_insecure', 'It is open.', { nextStep: 'chmod 600 key' })
    expect(nextStep(error, ' --profile work')).toBe('chmod 600 key')
  })

  test.each([
    ['free it: codex-auth login', 'free it: codex-auth login --profile work'],
    ['codex-auth login --force, or wait', 'codex-auth login --profile work --force, or wait'],
    [
      'printf %s "$KEY" | codex-auth login --with-api-key',
      'printf %s "$KEY" | codex-auth login --profile work --with-api-key',
    ],
    [
      'codex-auth status, then codex-auth refresh',
      'codex-auth status --profile work, then codex-auth refresh --profile work',
    ],
    ['codex-auth status --help', 'codex-auth status --help'],
    ['use it: codex-auth token', 'use it: codex-auth token --profile work'],
    ['codex-auth config path', 'codex-auth config path'],
  ])('whose own next step is "%s" names the profile in it where it matters', (own, step) => {
    const error = new AuthError('login_failed', 'It failed.', { nextStep: own })
    expect([nextStep(error, ' --profile work'), nextStep(error, '')]).toEqual([step, own])
  })

  test('passes by itself only when the provider or the disk is to blame', () => {
    const passing = CODES.filter((code) => isPassing(new AuthError(code, 'It failed.')))
    expect(passing).toEqual(CODES.filter((code) => [5, 7].includes(TABLE[code][1])))
  })

  test.each([new TypeError('a bug'), { code: 'network' }, 'network', undefined])(
    'that is none of ours (%s) never passes by itself',
    (error) => {
      expect(isPassing(error)).toBe(false)
    },
  )
})

test('the exit codes are those that scripts know', () => {
  expect(EXIT_CODES).toEqual({
    ok: 0,
    failure: 1,
    usage: 2,
    short_lived: 3,
    login_required: 4,
    provider_unavailable: 5,
    store_unreadable: 6,
    store_unwritable: 7,
    login_incomplete: 8,
    interaction_required: 9,
    command_not_executable: 126,
    command_not_found: 127,
    interrupted: 130,
    terminated: 143,
  })
})
