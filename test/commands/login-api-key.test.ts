import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failedInWords } from '../support/expected-output.ts'
import { answers, credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { fakeBrowser, temporaryHome, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --issuer ${issuer.issuer} --with-minted-api-key`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

function inBrowser(words = '') {
  return home.run(`${login} --port 0 --browser${words}`, { browser: fakeBrowser() })
}

const STORED = 'An API key is stored with the login; codex-auth token --kind api-key prints it.\n'
const SIGNED_IN = 'Signed in as alice@example.com (plus), profile "default".\n'

describe('login --with-minted-api-key', () => {
  test('stores a key with the login', async () => {
    const { exitCode, stdout, stderr } = await inBrowser()
    expect({ exitCode, stdout, end: stderr.slice(-(STORED + SIGNED_IN).length) }).toEqual({
      exitCode: 0,
      stdout: '',
      end: STORED + SIGNED_IN,
    })
    expect(home.kept()?.mintedApiKey).toMatch(/^sk-proj-/)
    expect({ exchanges: issuer.exchanges, apiKeys: issuer.apiKeys }).toEqual({ exchanges: 1, apiKeys: 1 })
  })

  test('stores one with a login by device code as well, and tells programs', async () => {
    issuer.behaviour.device = { enabled: true, interval: 1, polls: ['approved'] }
    const { exitCode, stdout } = await home.run(`${login} --device-code --json`)
    expect({ exitCode, json: JSON.parse(stdout) as unknown }).toMatchObject({
      exitCode: 0,
      json: { minted_api_key: true, state: 'valid' },
    })
    expect(home.kept()?.mintedApiKey).toMatch(/^sk-proj-/)
  })

  test.each([
    [
      'refuses',
      answers.json(400, { error: 'access_denied' }),
      4,
      'gives this login no API key (access_denied).',
    ],
    ['is unwell', answers.json(500, {}), 5, 'answered 500.'],
  ])('keeps the login when the provider %s, and says so', async (_, answer, code, what) => {
    issuer.nextAnswers.push(answers.genuine, answer)
    const { exitCode, stdout, stderr } = await inBrowser(' --json')
    expect({ exitCode, json: JSON.parse(stdout) as unknown }).toMatchObject({
      exitCode: code,
      json: { state: 'valid', usable: true, minted_api_key: false },
    })
    const { host } = new URL(issuer.issuer)
    expect(stderr).toContain(
      `codex-auth: warning: the login is saved, but without an API key: ${host} ${what}\n  Next: `,
    )
    expect(stderr.endsWith(SIGNED_IN)).toBe(true)
    expect(await home.run('token')).toMatchObject({ exitCode: 0 })
    expect(issuer.liveFamilies()).toBe(1)
  })

  test('gets the key only, with --if-needed, where a usable login is there', async () => {
    await home.keep(credentialOf(issuer.issueLogin()))
    const { exitCode, stderr } = await home.run(`${login} --if-needed`)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `${STORED}Signed in already as alice@example.com (plus), profile "default".\n`,
    })
    const { mintedApiKey } = home.kept() ?? {}
    await home.run(`${login} --if-needed`)
    expect({ same: home.kept()?.mintedApiKey === mintedApiKey, asked: issuer.apiKeys }).toEqual({
      same: true,
      asked: 1,
    })
  })

  test('is refused for another provider before anybody signs in', async () => {
    expect(
      await home.run(
        'login --provider oidc --issuer https://login.example.com --client-id a --browser --with-minted-api-key',
      ),
    ).toEqual(
      failedInWords({
        exit_code: 2,
        message: 'Only a login at OpenAI can have an API key.',
        next_step: 'leave out --with-minted-api-key',
      }),
    )
  })

  test('does not go with a secret given by hand', async () => {
    expect(await home.run(`${login} --with-api-key`)).toMatchObject({ exitCode: 2 })
  })
})

test('a new sign-in begins without the key of the one before', async () => {
  await inBrowser()
  const { exitCode, stderr } = await home.run(`login --issuer ${issuer.issuer} --port 0 --browser`, {
    browser: fakeBrowser(),
  })
  expect({ exitCode, last: stderr.split('\n').at(-2) }).toEqual({
    exitCode: 0,
    last: 'codex-auth: warning: the API key of the login that is gone here still works; delete it at https://platform.openai.com/api-keys.',
  })
  expect(home.kept()?.mintedApiKey).toBeUndefined()
})
