import { describe, expect, test } from 'vitest'
import { chooseProfile, isProfileName, profileName } from '../../src/core/profile-name.ts'
import { thrown } from '../support/thrown.ts'

const GOOD = ['a', '7', 'default', 'Work', 'a.b', 'a_b', 'a-b', 'a..', 'a.cred', 'x'.repeat(64)]
const BAD = [
  '',
  ' ',
  '.',
  '..',
  '.hidden',
  '-flag',
  '_a',
  'a b',
  'a/b',
  'a\\b',
  'a:b',
  'a\n',
  'a\0',
  'é',
  '../../etc/passwd',
  'x'.repeat(65),
]

function notOne(name: string) {
  return {
    code: 'usage',
    exitCode: 2,
    message: `${JSON.stringify(name)} is not a profile name.`,
    nextStep:
      'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work',
  }
}

test.each(GOOD)('%j is a profile name', (name) => {
  expect(isProfileName(name)).toBe(true)
  expect(profileName(name)).toBe(name)
})

test.each(BAD)('%j is no profile name', (name) => {
  expect(isProfileName(name)).toBe(false)
  expect(thrown(() => profileName(name))).toEqual(notOne(name))
})

test('a long wrong name is quoted only at its beginning', () => {
  expect(thrown(() => profileName('!'.repeat(1000)))).toEqual(notOne('!'.repeat(80)))
})

describe('the profile in use', () => {
  test.each([
    { flag: 'f', variable: 'v', setting: 's', chosen: 'f' },
    { flag: undefined, variable: 'v', setting: 's', chosen: 'v' },
    { flag: undefined, variable: '', setting: 's', chosen: 's' },
    { flag: undefined, variable: undefined, setting: 's', chosen: 's' },
    { flag: undefined, variable: undefined, setting: undefined, chosen: 'default' },
    { flag: undefined, variable: '', setting: undefined, chosen: 'default' },
  ])('is $chosen with flag $flag, variable $variable and setting $setting', (given) => {
    const settings = given.setting === undefined ? {} : { profile: given.setting }
    expect(chooseProfile(given.flag, { CODEX_AUTH_PROFILE: given.variable }, settings)).toBe(given.chosen)
  })

  test('is not guessed when the flag is empty', () => {
    expect(thrown(() => chooseProfile('', { CODEX_AUTH_PROFILE: 'v' }, {}))).toEqual(notOne(''))
  })

  test('is refused wherever a wrong name comes from', () => {
    expect(thrown(() => chooseProfile('a/b', {}, {}))).toEqual(notOne('a/b'))
    expect(thrown(() => chooseProfile(undefined, { CODEX_AUTH_PROFILE: '..' }, {}))).toEqual(notOne('..'))
    expect(thrown(() => chooseProfile(undefined, {}, { profile: '.x' }))).toEqual(notOne('.x'))
  })
})
