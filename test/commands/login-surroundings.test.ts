import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renderFaultPage } from '../../src/adapters/result-page.ts'
import { failedInWords } from '../support/expected-output.ts'
import { startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import {
  fakeBrowser,
  keyboard,
  temporaryHome,
  type Home,
  type RunOptions,
  type Running,
} from '../support/fake-surroundings.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'
import { signIn } from '../support/sign-in.ts'

const ADDRESS = /^http\S+$/m
const WAITING = 'Waiting up to 5 min for the sign-in. Ctrl-C ends it and changes nothing.\n'
const SIGNED_IN = 'Signed in as alice@example.com (plus), profile "default".\n'
const SHOWN = 'Sign in at this address:\n\nADDRESS\n\n'
const OPENED = 'Opening your browser to sign in. The address, in case it does not show:\n\nADDRESS\n\n'
const CONTAINER =
  'In a container, the browser comes back only through a mapped port; --listen 0.0.0.0 helps with that, and --device-code needs no port.\n'

let issuer: FakeIssuer
let home: Home
let login: string

beforeEach(async () => {
  issuer = await startFakeIssuer({ anyRedirectPort: true })
  home = temporaryHome()
  login = `login --issuer ${issuer.issuer} --port 0`
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await issuer.close()
})

interface Waiting extends Running {
  readonly address: string
  readonly port: number
}

/** A sign-in that has shown its address. */
async function waiting(words = login, options: RunOptions = {}): Promise<Waiting> {
  const running = home.start(words, options)
  const [address] = await running.says(ADDRESS)
  const redirectUri = new URL(address).searchParams.get('redirect_uri') ?? ''
  return { ...running, address, port: Number(new URL(redirectUri).port) }
}

/** All that it says when a person signs in somewhere, with the address and the port by name. */
async function finished({ ended, address, port }: Waiting): Promise<string> {
  await signIn(address)
  const { stderr, ...rest } = await ended
  expect(rest).toEqual({ exitCode: 0, stdout: '' })
  return stderr.replace(address, 'ADDRESS').replaceAll(String(port), 'PORT')
}

function forwarding(command: string): string {
  return `You are connected over SSH. So that the browser can come back here, first run this on the machine you sit at:\n\n  ${command}\n\nor sign in, and paste the address the browser ends on.\n\n`
}

describe('where the person sits elsewhere, login', () => {
  const ssh = { ssh: true, opensBrowser: false }

  test('shows how to lead the redirect here', async () => {
    const it = await waiting(login, { terminal: true, stdin: keyboard(), where: ssh })
    expect(await finished(it)).toBe(
      `${forwarding('ssh -L PORT:localhost:PORT alice@far.example')}${SHOWN}${WAITING}${SIGNED_IN}`,
    )
  })

  test('keeps that command in one piece on a narrow terminal, so that it can be copied', async () => {
    const it = await waiting(login, { terminal: true, columns: 30, stdin: keyboard(), where: ssh })
    expect(await finished(it)).toContain('\n\n  ssh -L PORT:localhost:PORT alice@far.example\n\n')
  })

  test('learns the command from the connection', async () => {
    const env = { SSH_CONNECTION: '10.0.0.7 50000 10.0.0.8 2222', USER: 'ada' }
    const it = await waiting(login, { terminal: true, env, where: 'system' })
    expect(await finished(it)).toBe(
      `${forwarding('ssh -L PORT:localhost:PORT -p 2222 ada@10.0.0.8')}${SHOWN}${WAITING}${SIGNED_IN}`,
    )
  })

  test.each([
    ['a browser is asked for', `--browser`, ssh],
    ['the browser of the near machine can be opened', '', { ssh: true, opensBrowser: true }],
  ])('does not when %s', async (_what, flag, where) => {
    const browser = fakeBrowser(() => new Promise(() => undefined))
    const it = await waiting(`${login} ${flag}`.trim(), { terminal: true, where, browser })
    expect(await finished(it)).toBe(`${OPENED}${WAITING}${SIGNED_IN}`)
  })

  test('does not where nothing can listen anyway', async () => {
    const taken = await listenOnLoopback()
    const words = `login --issuer ${issuer.issuer} --port ${taken.port}`
    const stdin = keyboard()
    const it = await waiting(words, { terminal: true, stdin, where: ssh })
    const redirect = await fetch(it.address, { redirect: 'manual' })
    stdin.write(`${redirect.headers.get('location')}\n`)
    const { exitCode, stderr } = await it.ended
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining('ssh -L') })
    await taken.close()
  })
})

describe('in a container, login', () => {
  const where = { container: true, opensBrowser: false }

  test('shows what leads the redirect here', async () => {
    const it = await waiting(login, { terminal: true, where })
    expect(await finished(it)).toBe(`${SHOWN}${CONTAINER}${WAITING}${SIGNED_IN}`)
  })

  test('shows no way to somebody who has gone it', async () => {
    const it = await waiting(`${login} --listen 0.0.0.0`, { terminal: true, where })
    expect(await finished(it)).not.toContain(CONTAINER)
  })

  test('shows the way over SSH where it is both', async () => {
    const it = await waiting(login, { terminal: true, where: { ...where, ssh: true } })
    expect(await finished(it)).not.toContain('container')
  })
})

describe('whether login opens a browser', () => {
  const nowhere = { opensBrowser: false }

  test.each([
    ['none can be seen here', '', undefined, nowhere, SHOWN],
    ['the settings say none', '', 'none', {}, SHOWN],
    ['the settings name one that needs no screen', '', 'w3m', nowhere, OPENED],
    ['the flag says so', '--browser', 'none', nowhere, OPENED],
    ['the flag says not', '--no-browser', 'firefox', {}, SHOWN],
  ])('when %s', async (_what, flag, setting, where, shown) => {
    if (setting !== undefined) await home.run(`config set browser ${setting}`)
    const browser = fakeBrowser(() => new Promise(() => undefined))
    const it = await waiting(`${login} ${flag}`.trim(), { terminal: true, where, browser })
    const said = await finished(it)
    expect({ opened: browser.opened.length, said }).toEqual({
      opened: shown === OPENED ? 1 : 0,
      said: `${shown}${WAITING}${SIGNED_IN}`,
    })
  })

  test.each(['', 'false', 'False', '0'])('CI=%j does not keep it from asking a person', async (CI) => {
    const run = await home.run(login, { terminal: true, env: { CI }, browser: fakeBrowser() })
    expect(run).toMatchObject({ exitCode: 0 })
  })

  test.each(['true', '1', 'yes', 'woodpecker'])('CI=%j does', async (CI) => {
    expect(await home.run(login, { terminal: true, env: { CI } })).toMatchObject({ exitCode: 9 })
  })

  test('when the settings name one, but it would run where the person is not', async () => {
    await home.run('config set browser firefox')
    const it = await waiting(login, { terminal: true, where: { ...nowhere, ssh: true } })
    expect(await finished(it)).toContain(SHOWN)
  })

  test('when none could be started here, and Windows has one', async () => {
    const browser = { open: () => Promise.resolve(false) }
    const it = await waiting(login, { terminal: true, where: { wsl: true }, browser })
    expect(await finished(it)).toContain(
      'codex-auth: warning: no browser could be started; open the address above yourself, in Windows.\n',
    )
  })
})

/** The answer to one request whose `Host` is what it says: the status, and where it leads. */
function requestFrom(
  address: string,
  host: string,
  path: string,
): Promise<{ status: number | undefined; location: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address)
    request({ hostname, port, path, agent: false, headers: { host } })
      .once('response', (response) => {
        response.resume()
        resolve({ status: response.statusCode, location: response.headers.location ?? '' })
      })
      .once('error', reject)
      .end()
  })
}

/** Nothing where other machines cannot come to. */
function warned(address: string): string {
  if (address.startsWith('127.')) return ''
  return `codex-auth: warning: listening on ${address}: other machines can reach the sign-in, and are told nothing without its state.\n`
}

describe('login --listen', () => {
  test.each(['0.0.0.0', '127.0.0.2'])(
    '%s takes the redirect there as well, under the same name',
    async (listen) => {
      const it = await waiting(`${login} --no-browser --listen ${listen}`)
      const from = `http://127.0.0.2:${it.port}`
      const answer = await fetch(it.address, { redirect: 'manual' })
      const { pathname, search } = new URL(answer.headers.get('location') ?? '')
      const callback = `${pathname}${search}`
      for (const host of [`127.0.0.2:${it.port}`, 'evil.example']) {
        const { status } = await requestFrom(from, host, callback)
        expect(status).toBe(renderFaultPage('wrong_host').status)
      }
      const { location } = await requestFrom(from, `localhost:${it.port}`, callback)
      expect(await requestFrom(from, `localhost:${it.port}`, location)).toMatchObject({ status: 200 })
      const { stderr, ...rest } = await it.ended
      expect({ ...rest, stderr: stderr.replace(it.address, 'ADDRESS') }).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: `${warned(listen)}${SHOWN}${WAITING}${SIGNED_IN}`,
      })
    },
  )

  test('an address of another machine is refused, and takes nothing from a sign-in that waits', async () => {
    const other = await waiting(`${login} --no-browser --profile other`)
    // RFC 5737: an address for documentation, which nobody has.
    const { stderr, ...rest } = await home.run(
      `login --issuer ${issuer.issuer} --port ${other.port} --port 0 --no-browser --listen 192.0.2.1`,
    )
    expect({ ...rest, stderr: stderr.replace(warned('192.0.2.1'), '') }).toEqual(
      failedInWords({
        exit_code: 2,
        message: '192.0.2.1 is not an address of this machine, so nothing can listen on it.',
        next_step: 'write one that it has, or 0.0.0.0 for all: --listen 0.0.0.0',
      }),
    )
    expect(await finished(other)).toContain('Signed in as alice@example.com')
  })
})

const LOST = {
  exitCode: 8,
  stdout: '',
  stderr: expect.stringMatching(
    /\ncodex-auth: Another sign-in was started and took the place of this one\.\n {2}Next: finish the other sign-in\n$/,
  ),
}

describe('a second sign-in', () => {
  test('for the same profile ends the first', async () => {
    const first = await waiting(`${login} --no-browser`)
    const second = await waiting(`${login} --no-browser`)
    expect(await first.ended).toEqual(LOST)
    expect(await finished(second)).toBe(`${SHOWN}${WAITING}${SIGNED_IN}`)
    await expect(fetch(`http://127.0.0.1:${first.port}/`)).rejects.toThrow('fetch failed')
  })

  test('on the same port ends the first, whatever its profile', async () => {
    const first = await waiting(`${login} --no-browser --profile work`)
    const words = `login --no-browser --issuer ${issuer.issuer} --port ${first.port}`
    const second = await waiting(words)
    expect(second.port).toBe(first.port)
    expect(await first.ended).toEqual(LOST)
    await finished(second)
    expect([home.kept()?.account.email, home.kept('work')]).toEqual(['alice@example.com', undefined])
  })

  test('for another profile on another port leaves the first alone', async () => {
    const first = await waiting(`${login} --no-browser --profile work`)
    const second = await waiting(`${login} --no-browser`)
    await finished(second)
    await signIn(first.address)
    expect(await first.ended).toMatchObject({ exitCode: 0 })
  })

  test('in another folder is somebody else’s, and is not ended', async () => {
    const other = temporaryHome()
    const first = await waiting(`${login} --no-browser`)
    const words = `login --no-browser --issuer ${issuer.issuer} --port ${first.port}`
    expect(await other.run(words)).toMatchObject({ exitCode: 8 })
    await finished(first)
    other.remove(issuer.secrets)
  })
})

test('another program that asks the port to cancel changes nothing', async () => {
  const it = await waiting(`${login} --no-browser`)
  const { state } = Object.fromEntries(new URL(it.address).searchParams)
  const requests = ['GET', 'POST', 'DELETE', 'HEAD'].flatMap((method) =>
    ['/cancel', `/cancel?state=${state}`, '/auth/cancel'].map((path) => ({ method, path })),
  )
  const statuses: number[] = []
  for (const { method, path } of requests) {
    statuses.push((await fetch(`http://127.0.0.1:${it.port}${path}`, { method })).status)
  }
  expect(statuses).toEqual(requests.map(() => 404))
  expect(await finished(it)).toBe(`${SHOWN}${WAITING}${SIGNED_IN}`)
})
