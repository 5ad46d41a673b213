import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { keyboard, temporaryHome, type Home } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

const GONE = 'Nobody is signed in to the profile "default".'

describe('what is said to a person', () => {
  test.each([
    [80, `codex-auth: ${GONE}\n  Next: codex-auth login\n`],
    [40, 'codex-auth: Nobody is signed in to the\nprofile "default".\n  Next: codex-auth login\n'],
    [20, 'codex-auth: Nobody\nis signed in to the\nprofile "default".\n  Next:\n  codex-auth login\n'],
    [3, expect.stringMatching(/^codex-auth:\nNobody\nis\nsigned\nin\n/)],
  ])('is broken between words on a terminal of %d columns', async (columns, stderr) => {
    expect(await home.run('token', { terminal: true, columns })).toEqual({ exitCode: 4, stdout: '', stderr })
  })

  test('is left whole for programs, however narrow a terminal would be', async () => {
    const { stderr } = await home.run('token', { columns: 20 })
    expect(stderr).toBe(`codex-auth: ${GONE}\n  Next: codex-auth login\n`)
  })

  test('leaves an address whole, alone on its line', async () => {
    const words = `login --no-browser --issuer ${issuer.issuer} --port 0 --timeout 1`
    const { stderr } = await home.run(words, { terminal: true, columns: 30, stdin: keyboard() })
    expect(stderr).toMatch(
      /^Sign in at this address:\n\nhttp\S{200,}\n\nIf the browser cannot come\nback here, paste the address\nit ends on\.\n/,
    )
  })
})
