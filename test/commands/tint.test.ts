import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { timestamp } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

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

const [BOLD, RED, GREEN, YELLOW] = [1, 31, 32, 33].map((code) => `\u001B[${code}m`)
const [PLAIN, NORMAL] = [22, 39].map((code) => `\u001B[${code}m`)
const COLOURED = { colours: true, terminal: true, stdoutIsTerminal: true }

async function keepLogin() {
  const credential = credentialOf(issuer.issueLogin())
  await home.keep(credential)
  return { now: credential.obtainedAt, until: timestamp(credential.expiresAt) }
}

describe('on a terminal that has colours', () => {
  test('a failure is red, and what to do next stands out', async () => {
    expect(await home.run('token', COLOURED)).toEqual({
      exitCode: 4,
      stdout: '',
      stderr:
        `${RED}codex-auth:${NORMAL} Nobody is signed in to the profile "default".\n` +
        `  ${BOLD}Next:${PLAIN} codex-auth login\n`,
    })
  })

  test('a line is broken where the same line without colours is', async () => {
    const plain = await home.run('token', { ...COLOURED, colours: false, columns: 40 })
    const coloured = await home.run('token', { ...COLOURED, columns: 40 })
    const found = stripVTControlCharacters(coloured.stderr)
    expect({ found, isColoured: found !== coloured.stderr }).toEqual({
      found: plain.stderr,
      isColoured: true,
    })
  })

  test('a command that is to be copied stays in one piece, in colours or not', async () => {
    const run = { ...COLOURED, columns: 36 }
    const { stdout } = await home.run('status --profile somewhere-else', run)
    expect(stdout.split('\n').at(-2)).toBe(
      `  Next         ${BOLD}codex-auth login --profile somewhere-else${PLAIN}`,
    )
  })

  test.for([
    ['green while it lives', 0, () => GREEN],
    ['yellow in its last five minutes', 3400, () => YELLOW],
  ] as const)('the life of a token is %s', async ([, later, colour]) => {
    const { now } = await keepLogin()
    const { stdout } = await home.run('status', { ...COLOURED, now: now + later })
    const [head, life = ''] = stdout.split('\n')
    expect({ head, life: life.slice(0, 20), end: life.slice(-5) }).toEqual({
      head: `${BOLD}default: alice@example.com (plus)${PLAIN}`,
      life: `  Access token ${colour()}`,
      end: NORMAL,
    })
  })

  test('a profile is green where it works and red where it does not', async () => {
    const { now } = await keepLogin()
    const dead = { ...credentialOf(issuer.issueLogin()), refreshToken: undefined, expiresAt: now - 1 }
    await home.keep(dead, 'old')
    const { stdout } = await home.run('profile list', { ...COLOURED, now })
    expect(stdout).toBe(
      `* default  ${GREEN}valid${NORMAL}       alice@example.com\n` +
        `  old      ${RED}dead${NORMAL}        alice@example.com\n`,
    )
  })

  test('the titles of a help page stand out', async () => {
    const { stdout } = await home.run('help status', COLOURED)
    expect(stdout).toContain(`${BOLD}Options:${PLAIN}\n`)
  })

  test('--no-color leaves all of them out, wherever it stands', async () => {
    const { now } = await keepLogin()
    const outputs = await Promise.all(
      ['--no-color status', 'status --no-color', 'status --no-color --unknown', 'help --no-color'].map(
        async (words) => home.run(words, { ...COLOURED, now }),
      ),
    )
    const all = outputs.map(({ stdout, stderr }) => stdout + stderr)
    expect(all.map((text) => [text.length > 0, text.includes('\u001B')])).toEqual(
      all.map(() => [true, false]),
    )
  })
})

test('a long value of a report goes on below its own beginning', async () => {
  const { now, until } = await keepLogin()
  const { stdout } = await home.run('status', { now, stdoutIsTerminal: true, columns: 40 })
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    'default: alice@example.com (plus)',
    '  Access token lives 1 h more (until',
    `               ${until}),`,
    '               renews by itself',
  ])
})
