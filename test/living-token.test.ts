import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { livingToken } from '../src/living-token.ts'
import { NOW, sampleCredential, secretsOf } from './support/credentials.ts'
import { temporaryHome, type Home } from './support/fake-surroundings.ts'

let home: Home
const credential = sampleCredential()

beforeEach(async () => {
  home = temporaryHome()
  await home.keep(credential)
})

afterEach(() => home.remove(secretsOf(credential)))

function answers(line: string, now = NOW): boolean {
  return livingToken(line.split(' '), { CODEX_AUTH_HOME: home.path }, now) === credential.accessToken
}

describe('the hot path', () => {
  test.each(['token', 'token --profile default --timeout 4s', 'token --timeout 0 --min-ttl 30m'])(
    'answers "%s" while the token lives',
    (line) => expect(answers(line)).toBe(true),
  )

  test.each(['token --timeout', 'token --timeout soon', 'token --timeout 4s --json', 'refresh --timeout 4s'])(
    'leaves "%s" to the command line',
    (line) => expect(answers(line)).toBe(false),
  )

  test('leaves a token that is about to end to the command line', () => {
    expect(answers('token --timeout 4s', NOW + 3301)).toBe(false)
  })
})
