import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addressOf, runCli, startCli } from '../support/cli.ts'
import {
  atIssuer,
  fingerprint,
  logIn,
  newHome,
  newIssuer,
  redirectTo,
  redirectUriOf,
  signInSaid,
} from '../support/e2e.ts'
import { withoutOwners } from '../support/expected-output.ts'
import { answers, type FakeIssuer } from '../support/fake-issuer.ts'
import { signIn } from '../support/sign-in.ts'

test('a sign-in saves a login, and token prints its access token and nothing else', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const { page, address, lingered: _, ...ended } = await logIn(atIssuer(issuer), { home })
  expect(ended).toEqual({ exitCode: 0, stdout: '', stderr: signInSaid(address, 'alice@example.com (plus)') })
  expect(page.status).toBe(200)
  expect(page.text).toContain('alice@example.com')
  const token = await runCli(['token'], { home })
  expect(token).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\S+\n$/), stderr: '' })
  expect(issuer.accepts(token.stdout.trim())).toBe(true)
  expect(issuer.exchanges).toBe(1)
})

test('with --json the account is one line on standard output', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const { exitCode, stdout } = await logIn([...atIssuer(issuer), '--json', '--quiet'], { home })
  const status = await runCli(['status', '--json'], { home })
  expect(exitCode).toBe(0)
  expect(stdout.split('\n')).toEqual([expect.any(String), ''])
  const timeless = { expires_in: expect.any(Number) }
  expect(JSON.parse(stdout)).toEqual({ ...JSON.parse(status.stdout), ...timeless })
})

function atRegisteredPorts({ issuer }: FakeIssuer): string[] {
  return ['login', '--no-browser', '--issuer', issuer]
}

describe('the redirect port', () => {
  test('is 1455 when it is free', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    const { exitCode, address } = await logIn(atRegisteredPorts(issuer), { home })
    expect(redirectUriOf(address)).toBe('http://localhost:1455/auth/callback')
    expect(exitCode).toBe(0)
  })

  test.for(['127.0.0.1', '::1'])('is 1457 when %s has 1455 taken', async (host) => {
    const home = newHome()
    const issuer = await newIssuer()
    await occupy(1455, host)
    const { exitCode, address } = await logIn(atRegisteredPorts(issuer), { home })
    expect(redirectUriOf(address)).toBe('http://localhost:1457/auth/callback')
    expect(exitCode).toBe(0)
  })

  test('that cannot be had ends the sign-in before it begins, and says which are taken', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await Promise.all([occupy(1455), occupy(1457)])
    const starting = await timed(() => runCli(['status'], { home }))
    const { time, result } = await timed(() => runCli(atRegisteredPorts(issuer), { home }))
    const { stderr, ...rest } = result
    expect({ ...rest, stderr: withoutOwners(stderr) }).toEqual({
      exitCode: 8,
      stdout: '',
      stderr: [
        'codex-auth: Nothing can listen for the redirect on this machine: port 1455 is in use, port 1457 is in use.',
        '  Next: end the program that has the port, or sign in without one: codex-auth login --device-code',
        '',
      ].join('\n'),
    })
    expect(time - starting.time).toBeLessThan(1000)
    expect((await runCli(['status'], { home })).exitCode).toBe(4)
  })

  test('is free again after a sign-in that nobody finished', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    const { exitCode } = await runCli([...atRegisteredPorts(issuer), '--timeout', '1s'], { home })
    await occupy(1455)
    expect(exitCode).toBe(8)
  })
})

test('the program is gone within a second of its success, whatever connections the browser keeps', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const running = startCli(atIssuer(issuer), { home })
  const address = await addressOf(running)
  const { port, pathname } = new URL(redirectUriOf(address))
  const [halfway, ...silent] = await Promise.all([1, 2, 3].map(() => keepOpen(Number(port))))
  halfway?.socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost:${port}\r\n`)
  const page = await signIn(address)
  const shown = performance.now()
  const { exitCode } = await running.ended
  expect({ exitCode, status: page.status }).toEqual({ exitCode: 0, status: 200 })
  expect(performance.now() - shown).toBeLessThan(1000)
  for (const connection of [halfway, ...silent]) await connection?.closed
})

test('the address of the last page holds neither code nor state', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const { page } = await logIn(atIssuer(issuer), { home })
  const { pathname, search, hash } = new URL(page.url)
  expect({ pathname, search, hash }).toEqual({
    pathname: expect.stringMatching(/^\/auth\/result\/[\w-]{22}$/),
    search: '',
    hash: '',
  })
})

test('a redirect with another state is refused, and the right one still counts', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const running = startCli(atIssuer(issuer), { home })
  const address = await addressOf(running)
  const forged = await fetch(redirectTo(address, { code: 'ac_forged', state: 'another' }))
  const page = await signIn(address)
  const { exitCode } = await running.ended
  expect({ forged: forged.status, page: page.status, exitCode }).toEqual({
    forged: 400,
    page: 200,
    exitCode: 0,
  })
})

test('an iss of another server ends the sign-in without sending the code anywhere', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  issuer.behaviour.redirectParameters = { iss: 'http://127.0.0.1:9' }
  const { exitCode, page, stderr } = await logIn(atIssuer(issuer), { home })
  expect({ exitCode, status: page.status, exchanges: issuer.exchanges }).toEqual({
    exitCode: 8,
    status: 400,
    exchanges: 0,
  })
  expect(stderr).toContain('is not to be trusted')
})

test('a person who says no sees so in the browser, and nothing is stored', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  issuer.behaviour.authorizationError = { error: 'access_denied', description: 'The user said no.' }
  const { exitCode, stderr, page } = await logIn([...atIssuer(issuer), '--quiet'], { home })
  expect({ exitCode, stderr: stderr.split('\n').slice(-3) }).toEqual({
    exitCode: 8,
    stderr: ['codex-auth: The sign-in was denied: The user said no.', '  Next: codex-auth login', ''],
  })
  expect(page.status).toBe(400)
  expect(page.text).toContain('The user said no.')
  expect((await runCli(['status'], { home })).exitCode).toBe(4)
})

describe('over a login that is there', () => {
  test('a new one is saved first, and only then is the old one revoked', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await logIn(atIssuer(issuer), { home })
    const old = (await runCli(['token'], { home })).stdout.trim()
    await logIn(atIssuer(issuer), { home })
    const current = (await runCli(['token'], { home })).stdout.trim()
    expect({ old: issuer.accepts(old), current: issuer.accepts(current) }).toEqual({
      old: false,
      current: true,
    })
    const order = issuer.requests.map(({ path }) => path).filter((path) => path !== '/oauth/authorize')
    expect(order).toEqual(['/oauth/token', '/oauth/token', '/oauth/revoke'])
  })

  test('a failed one leaves it to the byte', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await logIn(atIssuer(issuer), { home })
    const before = fingerprint(home)
    issuer.nextAnswers.push(answers.html(403))
    const { exitCode, page } = await logIn(atIssuer(issuer), { home })
    expect({ exitCode, status: page.status }).toEqual({ exitCode: 5, status: 400 })
    expect(fingerprint(home)).toBe(before)
    expect((await runCli(['token'], { home })).exitCode).toBe(0)
  })

  test('--if-needed asks nobody', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await logIn(atIssuer(issuer), { home })
    await issuer.close()
    expect(await runCli(['login', '--if-needed'], { home })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Signed in already as alice@example.com (plus), profile "default".\n',
    })
  })
})

test('without a terminal, and without a word on how, there is nobody to ask', async () => {
  const home = newHome()
  expect(await runCli(['login'], { home })).toEqual({
    exitCode: 9,
    stdout: '',
    stderr: [
      'codex-auth: Signing in needs a person, and there is no terminal here.',
      '  Next: codex-auth login --no-browser',
      '',
    ].join('\n'),
  })
})

async function timed<T>(work: () => Promise<T>): Promise<{ time: number; result: T }> {
  const started = performance.now()
  return { result: await work(), time: performance.now() - started }
}

/** Listens there until the test is over. */
async function occupy(port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer().listen({ port, host })
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return server
}

/** A connection that is opened, and left to the other side to close. */
async function keepOpen(port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => undefined).resume()
  return { socket, closed: once(socket, 'close') }
}
