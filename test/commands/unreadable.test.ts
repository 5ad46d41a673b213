import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failed, statusWithoutLogin } from '../support/expected-output.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { fakeBrowser, temporaryHome, type Home } from '../support/fake-surroundings.ts'

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

async function keepLogin(profile = 'default') {
  const login = issuer.issueLogin()
  await home.keep(credentialOf(login), profile)
  return login
}

function path(): string {
  return home.credentialFile()
}

function key(): string {
  return join(home.path, 'key')
}

interface Fault {
  readonly reason: string
  readonly message: () => string
  /** `undefined`: a new login. */
  readonly next?: () => string
  readonly damage: () => unknown
}

const FAULTS: readonly (readonly [string, Fault])[] = [
  [
    'a changed bit',
    {
      reason: 'store_corrupt',
      damage: () => {
        const bytes = readFileSync(path())
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40)
        writeFileSync(path(), bytes)
      },
      message: () => 'The stored credential is damaged: it was changed after it was written.',
    },
  ],
  [
    'an empty file',
    {
      reason: 'store_corrupt',
      damage: () => writeFileSync(path(), ''),
      message: () => 'The stored credential is damaged: it is not a sealed credential.',
    },
  ],
  [
    'half a file',
    {
      reason: 'store_corrupt',
      damage: () => writeFileSync(path(), readFileSync(path()).subarray(0, 100)),
      message: () => 'The stored credential is damaged: it ends too early.',
    },
  ],
  [
    'a copy of another profile',
    {
      reason: 'store_corrupt',
      damage: async () => {
        await keepLogin('work')
        copyFileSync(home.credentialFile('work'), path())
        rmSync(home.credentialFile('work'))
      },
      message: () =>
        'The stored credential is a copy of the one in the profile "work". Two copies of one login end it for both.',
    },
  ],
  [
    'a later format',
    {
      reason: 'store_newer',
      damage: () => writeFileSync(path(), readFileSync(path(), 'latin1').replace('/1 ', '/2 '), 'latin1'),
      message: () => 'The stored credential has format 2; this version reads up to 1.',
      next: () => 'npm install -g codex-auth@latest',
    },
  ],
  [
    'an older copy put back',
    {
      reason: 'store_rolled_back',
      damage: async () => {
        const old = readFileSync(path())
        await keepLogin()
        writeFileSync(path(), old)
      },
      message: () =>
        'The stored credential is an older copy (write 1; the last was 2). Its refresh token has been spent.',
    },
  ],
  [
    'another machine',
    {
      reason: 'foreign_machine',
      damage: () => {
        const text = readFileSync(path(), 'latin1')
        writeFileSync(path(), text.replace(/"machine":[^,]+,/, '"machine":"0123456789abcdef",'), 'latin1')
      },
      message: () =>
        'The stored credential was written on another machine. Using a copied login would end it on both.',
    },
  ],
  [
    'another key',
    {
      reason: 'key_mismatch',
      damage: () => writeFileSync(key(), Buffer.alloc(32, 7)),
      message: () => 'The stored credential was sealed with a different key than the one in use now.',
    },
  ],
  [
    'no key',
    {
      reason: 'key_missing',
      damage: () => rmSync(key()),
      message: () => `The key that opens the stored credential is gone: there is no ${key()}.`,
    },
  ],
  [
    'a credential that others may read',
    {
      reason: 'store_insecure',
      damage: () => chmodSync(path(), 0o640),
      message: () => `${path()} is open to other users (mode 640).`,
      next: () => `chmod 600 ${path()}`,
    },
  ],
  [
    'a key that others may read',
    {
      reason: 'store_insecure',
      damage: () => chmodSync(key(), 0o604),
      message: () => `${key()} is open to other users (mode 604).`,
      next: () => `chmod 600 ${key()}`,
    },
  ],
  [
    'a symbolic link',
    {
      reason: 'store_insecure',
      damage: () => {
        renameSync(path(), `${path()}.elsewhere`)
        symlinkSync(`${path()}.elsewhere`, path())
      },
      message: () => `${path()} is a symbolic link, which is not followed.`,
      next: () => `mv -f "$(readlink -f ${path()})" ${path()}    # puts the file itself there`,
    },
  ],
]

describe('a stored credential that cannot be read', () => {
  test.each(FAULTS)('(%s) is told as that by every command, and kept', async (_, fault) => {
    await keepLogin()
    await fault.damage()
    const before = readFileSync(path())
    const problem = { message: fault.message(), next_step: fault.next?.() ?? 'codex-auth login' }
    const failure = failed({ code: 'store_unreadable', exit_code: 6, ...problem })

    const { stdout, ...rest } = await home.run('status --json')
    expect({ ...rest, json: JSON.parse(stdout) }).toEqual({
      exitCode: 6,
      stderr: '',
      json: statusWithoutLogin(home, { state: 'unreadable', exit_code: 6, reason: fault.reason, ...problem }),
    })
    expect(await home.run('status')).toEqual({
      exitCode: 6,
      stdout:
        'default: stored, but it cannot be read\n' +
        `  Stored in    ${path()} (sealed, key: file)\n` +
        `  Problem      ${problem.message}\n` +
        `  Next         ${problem.next_step}\n`,
      stderr: '',
    })
    expect(await home.run('profile list')).toEqual({
      exitCode: 0,
      stdout: '* default  unreadable\n',
      stderr: '',
    })
    expect(await home.run('token --json')).toEqual(failure)
    expect(await home.run('refresh --json')).toEqual(failure)
    expect(await home.run('refresh --if-expiring 1h')).toEqual({ ...failure, stdout: '' })
    expect({ after: readFileSync(path()), requests: issuer.requests }).toEqual({
      after: before,
      requests: [],
    })
  })

  const mendedByLogin = FAULTS.filter(([name]) => name !== 'a key that others may read')

  test.each(mendedByLogin)('(%s) is set aside by a new login, and kept', async (_, { damage }) => {
    await keepLogin()
    await damage()
    const before = readFileSync(path())
    const { liveFamilies } = issuer
    const live = liveFamilies()
    expect(
      await home.run(`login --issuer ${issuer.issuer} --browser --port 0 --quiet`, {
        browser: fakeBrowser(),
      }),
    ).toMatchObject({ exitCode: 0, stdout: '' })
    const aside = readdirSync(dirname(path())).filter((name) => name.startsWith('default.cred.damaged-'))
    expect(aside).toHaveLength(1)
    expect(readFileSync(join(dirname(path()), aside[0] ?? ''))).toEqual(before)
    expect(await home.run('token')).toEqual({
      exitCode: 0,
      stdout: `${home.kept()?.accessToken}\n`,
      stderr: '',
    })
    // Nobody can tell the provider about a login that cannot be read.
    expect({ live: liveFamilies(), revocations: issuer.revocations }).toEqual({
      live: live + 1,
      revocations: 0,
    })
  })

  test.each(FAULTS)(
    '(%s) is removed by logout, which says that the provider does not know',
    async (_, fault) => {
      await keepLogin()
      await fault.damage()
      const message = fault.message()
      const { stdout, ...rest } = await home.run('logout --json')
      expect({ ...rest, json: JSON.parse(stdout) }).toEqual({
        exitCode: 5,
        stderr: `codex-auth: warning: removed here, but the provider did not confirm the revocation: ${message}\n`,
        json: {
          schema_version: 1,
          profile: 'default',
          state: 'none',
          removed: true,
          revoked: false,
          revocation: 'unconfirmed',
          api_key_remains: null,
        },
      })
      expect(await home.run('token')).toMatchObject({ exitCode: 4 })
    },
  )

  test.each(FAULTS)('(%s) is removed with its profile', async (_, { damage }) => {
    await keepLogin()
    await damage()
    expect(await home.run('profile remove default')).toMatchObject({ exitCode: 0, stdout: '' })
    expect(await home.run('token')).toMatchObject({ exitCode: 4 })
  })
})
