import { once } from 'node:events'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PROGRAM, runCli, startCli, type Running } from '../support/cli.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { hold, type FakeIssuer } from '../support/fake-issuer.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'
import { signIn } from '../support/sign-in.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLES = join(ROOT, 'examples')

/** Starts an example where `codex-auth` is a command like any other. */
function start(name: string, args: readonly string[], home: string): Running {
  const bin = temporaryFolder()
  symlinkSync(PROGRAM, join(bin, 'codex-auth'))
  const PATH = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
  return startCli(args, { home, program: join(EXAMPLES, name), env: { PATH } })
}

/** Runs one to its end. */
async function run(name: string, args: readonly string[], home: string) {
  const running = start(name, args, home)
  running.stdin.end()
  return running.ended
}

/** An API that accepts what the issuer accepts, and tells what it was sent. */
async function startApi(issuer: FakeIssuer): Promise<string> {
  const server = await listenOnLoopback()
  onTestFinished(() => server.close())
  server.serve(async (request, response) => {
    const body = await text(request)
    const isAccepted = issuer.accepts(request.headers.authorization?.replace('Bearer ', '') ?? '')
    const answer = request.url?.endsWith('/models')
      ? { object: 'list', data: [{ id: 'model-1', object: 'model' }] }
      : { path: request.url, body }
    response.writeHead(isAccepted ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer))
  })
  return server.origin
}

/** A home whose stored token is refused, although it says that it lives. */
async function signedInHome(issuer: FakeIssuer, expiresAt = Date.now() / 1000 + 3600): Promise<string> {
  const home = newHome()
  await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }), {
    expiresAt: Math.floor(expiresAt),
  })
  return home
}

/** Whether a connection can be made; nothing is asked. */
async function listens(origin: string): Promise<boolean> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const ENDED_WELL = { exitCode: 0, stderr: '' }

test('the documentation shows every example as it is', () => {
  const page = readFileSync(join(ROOT, 'docs/library.md'), 'utf8')
  const shown = [...page.matchAll(/<!-- examples\/(\S+) -->\n```js\n(.*?)```/gs)]
  expect(Object.fromEntries(shown.map(([, name, code]) => [name, code]))).toEqual(
    Object.fromEntries(
      readdirSync(EXAMPLES).map((name) => [name, readFileSync(join(EXAMPLES, name), 'utf8')]),
    ),
  )
  expect(page.split('```js').length - 1).toBe(shown.length)
})

describe('access-token.mjs', () => {
  test('asks an API with a token that was renewed first', async () => {
    const issuer = await newIssuer()
    const origin = await startApi(issuer)
    const home = await signedInHome(issuer, Date.now() / 1000 - 60)
    expect(await run('access-token.mjs', [`${origin}/things`], home)).toEqual({
      ...ENDED_WELL,
      stdout: '200 {"path":"/things","body":""}\n',
    })
    expect(issuer.refreshes).toBe(1)
  })

  test('says who has to do what when nobody is signed in', async () => {
    expect(await run('access-token.mjs', ['http://127.0.0.1:1/'], newHome())).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'First run: codex-auth login\n',
    })
  })
})

test('fetch.mjs is let in with a renewed token after its first was refused', async () => {
  const issuer = await newIssuer()
  const origin = await startApi(issuer)
  expect(await run('fetch.mjs', [`${origin}/things`], await signedInHome(issuer))).toEqual({
    ...ENDED_WELL,
    stdout: '200 {"path":"/things","body":"{\\"name\\":\\"a thing\\"}"}\n',
  })
  expect(issuer.refreshes).toBe(1)
})

test('openai.mjs lists models with a renewed token after its first was refused', async () => {
  const issuer = await newIssuer()
  const origin = await startApi(issuer)
  expect(await run('openai.mjs', [`${origin}/v1`], await signedInHome(issuer))).toEqual({
    ...ENDED_WELL,
    stdout: 'model-1\n',
  })
  expect(issuer.refreshes).toBe(1)
})

describe('sign-in.mjs', () => {
  test('signs a person in, and out again', async () => {
    const issuer = await newIssuer()
    const running = start('sign-in.mjs', [issuer.issuer], newHome())
    const [, address = ''] = await running.prints(/^(http\S+)\n/m)
    await signIn(address)
    const { stdout, ...rest } = await running.ended
    expect(rest).toEqual(ENDED_WELL)
    expect(stdout.split('\n').slice(2)).toEqual([
      'Signed in as alice@example.com.',
      expect.stringMatching(/^The token is valid until 20\S+Z\.$/),
      'Signed out.',
      '',
    ])
    expect(issuer.liveFamilies()).toBe(0)
  })

  test('ends at once with Ctrl-C', async () => {
    const issuer = await newIssuer()
    const home = newHome()
    const running = start('sign-in.mjs', [issuer.issuer], home)
    await running.prints(/^http\S+\n/m)
    running.kill('SIGINT')
    expect(await running.ended).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Interrupted.'),
    })
    expect(JSON.parse((await runCli(['status', '--json'], { home })).stdout)).toMatchObject({
      state: 'none',
      login_in_progress: null,
    })
  })
})

test('server.mjs saves a renewal that is on its way before it obeys SIGTERM', async () => {
  const issuer = await newIssuer()
  const home = await signedInHome(issuer, Date.now() / 1000 - 60)
  const running = start('server.mjs', [], home)
  const [origin] = await running.prints(/http\S+/)
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const request = fetch(origin)
  await held.arrived
  running.kill('SIGTERM')
  // Once nobody listens any more, the signal has come.
  await expect.poll(() => listens(origin), { timeout: 20_000 }).toBe(false)
  held.release()
  expect(await (await request).text()).toBe('The server is ending.\n')
  expect(await running.ended).toMatchObject(ENDED_WELL)
  const token = await runCli(['token'], { home })
  expect(issuer.accepts(token.stdout.trim())).toBe(true)
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
})

describe('connect.mjs', () => {
  test('connects and disconnects', async () => {
    const issuer = await newIssuer()
    const running = start('connect.mjs', ['--issuer', issuer.issuer, '--port', '0'], newHome())
    const [, address = ''] = await running.prints(/^(http\S+)\n/m)
    await signIn(address)
    expect(await running.ended).toEqual({
      ...ENDED_WELL,
      stdout: [
        'Sign in at:',
        address,
        'Signed in as alice@example.com.',
        'Status: connected as alice@example.com.',
        'Disconnected.',
        '',
      ].join('\n'),
    })
    expect(issuer.liveFamilies()).toBe(0)
  })

  test('says why a sign-in failed, with its exit code', async () => {
    const issuer = await newIssuer()
    issuer.behaviour.authorizationError = { error: 'access_denied' }
    const running = start('connect.mjs', ['--issuer', issuer.issuer, '--port', '0'], newHome())
    const [, address = ''] = await running.prints(/^(http\S+)\n/m)
    await signIn(address)
    expect(await running.ended).toMatchObject({
      exitCode: 8,
      stderr: 'The sign-in was denied. Next: codex-auth login\n',
    })
  })

  test('takes the sign-in with it when it is killed', async () => {
    const issuer = await newIssuer()
    const home = newHome()
    const running = start('connect.mjs', ['--issuer', issuer.issuer, '--port', '0'], home)
    await running.prints(/^http\S+\n/m)
    running.kill('SIGKILL')
    await running.ended
    const waiting = async (): Promise<unknown> =>
      JSON.parse((await runCli(['status', '--json'], { home })).stdout).login_in_progress
    await expect.poll(waiting, { timeout: 20_000 }).toBe(null)
  })
})
