import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import {
  atIssuer,
  credentialFile,
  fingerprint,
  logIn,
  newHome,
  newIssuer,
  storeLogin,
} from '../support/e2e.ts'
import { runScript } from '../support/shell.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

const SCRIPT = [
  'umask 000',
  'codex-auth refresh --quiet',
  'codex-auth config set ports 0 --quiet',
  'codex-auth refresh --quiet --profile work',
].join('\n')

test('what is written is for its owner only, whatever the umask, and nothing else is left', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const root = join(home, 'below', 'codex-auth')
  const umask = process.umask(0)
  onTestFinished(() => void process.umask(umask))
  await logIn(atIssuer(issuer), { home: root })
  await logIn([...atIssuer(issuer), '--profile', 'work'], { home: root })
  const { exitCode, stderr } = await runScript(SCRIPT, { home: root })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(modesIn(home)).toEqual({
    below: '700',
    'below/codex-auth': '700',
    'below/codex-auth/config.json': '600',
    'below/codex-auth/key': '600',
    'below/codex-auth/profiles': '700',
    'below/codex-auth/profiles/default.generation': '600',
    'below/codex-auth/profiles/work.generation': '600',
    'below/codex-auth/profiles/default.cred': '600',
    'below/codex-auth/profiles/work.cred': '600',
  })
})

test('a logout leaves no credential', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  await logIn(atIssuer(issuer), { home })
  await runCli(['logout', '--quiet'], { home })
  expect(Object.keys(modesIn(home)).filter((name) => name.endsWith('.cred'))).toEqual([])
})

/** What `token` does, then the command that it tells to run, then `token` again. */
const MENDED = {
  before: { exitCode: 6, code: 'store_unreadable' },
  command: 0,
  after: { exitCode: 0, stderr: '' },
}

describe('a credential file that others can get at is refused with the command that mends it', () => {
  test.for(['640', '604', '620', '666'])('mode %s', async (mode) => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    chmodSync(credentialFile(home), mode)
    expect(await mended(home)).toEqual(MENDED)
  })

  test('the key of it', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    chmodSync(join(home, 'key'), 0o644)
    expect(await mended(home)).toEqual(MENDED)
  })

  test('a symbolic link in its place', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    const elsewhere = join(home, "somebody's file")
    renameSync(credentialFile(home), elsewhere)
    symlinkSync(elsewhere, credentialFile(home))
    expect(await mended(home)).toEqual(MENDED)
  })

  test.runIf(process.getuid?.() === 0)("another user's", async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin())
    chownSync(credentialFile(home), 65534, 65534)
    expect(await mended(home)).toEqual(MENDED)
  })

  test('a folder whose name a shell would take apart', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    const root = join(home, "it's; a $HOME")
    await storeLogin(root, issuer.issueLogin())
    chmodSync(credentialFile(root), 0o644)
    expect(await mended(root)).toEqual(MENDED)
  })
})

describe('a disk that takes nothing', () => {
  test.for(['full', 'nearly full', 'read-only'] as const)(
    'being %s ends token with 7 before the provider is asked, and a living token is still printed',
    async (state, { skip }) => {
      const disk = mountSmallDisk() ?? skip('this process may not mount a file system')
      onTestFinished(() => disk.remove())
      const issuer = await newIssuer()
      const home = join(disk.path, 'home')
      await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
      await storeLogin(home, issuer.issueLogin(), {}, 'living')
      const before = fingerprint(home)
      if (state === 'read-only') disk.setReadOnly(true)
      // Room for a lock and for today's answer, and for no larger one.
      else disk.fill(state === 'full' ? 0 : 32 * 1024)
      const { exitCode, stdout } = await runCli(['token'], { home })
      const living = await runCli(['token', '--profile', 'living'], { home })
      const login = await runCli(atIssuer(issuer), { home })
      if (state === 'read-only') disk.setReadOnly(false)
      else disk.empty()
      expect({ exitCode, stdout, living: living.exitCode, login: login.exitCode }).toEqual({
        exitCode: 7,
        stdout: '',
        living: 0,
        login: 7,
      })
      expect(issuer.requests.map(({ path }) => path)).toEqual([])
      expect(fingerprint(home)).toBe(before)
      expect((await runCli(['token'], { home })).exitCode).toBe(0)
      expect(issuer.requests.map(({ path }) => path)).toEqual(['/oauth/token'])
    },
  )
})

async function mended(home: string): Promise<unknown> {
  const refused = await runCli(['token', '--json'], { home })
  const { error } = JSON.parse(refused.stdout)
  const { status } = spawnSync('sh', ['-c', withoutSudo(error.next_step)])
  const { exitCode, stderr } = await runCli(['token'], { home })
  return {
    before: { exitCode: refused.exitCode, code: error.code },
    command: status,
    after: { exitCode, stderr },
  }
}

/** It is not on every machine, and root needs none. */
function withoutSudo(command: string): string {
  return command.replace(/^sudo /, '')
}

function modesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true }).map(String).toSorted()
  return Object.fromEntries(
    names.map((name) => [name, (lstatSync(join(folder, name)).mode & 0o777).toString(8)]),
  )
}

test('a folder named from one that has been removed is a mistake in the call, and no bug', async () => {
  const folder = newHome()
  const script = 'mkdir gone && cd gone && rmdir ../gone && codex-auth status'
  const { exitCode, stdout, stderr } = await runScript(script, {
    home: folder,
    cwd: folder,
    env: { CODEX_AUTH_HOME: 'auth' },
  })
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'codex-auth: auth is below the current folder, which has been removed.\n' +
      '  Next: change to a folder that is there, or name a whole path in CODEX_AUTH_HOME\n',
  })
})
