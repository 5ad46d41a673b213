import { expect, test } from 'vitest'
import { addressOf, runCli, startCli, type Running } from '../support/cli.ts'
import { atIssuer, newHome, newIssuer, redirectFrom } from '../support/e2e.ts'
import type { FakeIssuer } from '../support/fake-issuer.ts'
import { signIn } from '../support/sign-in.ts'

/** A sign-in with events, of which the address and the waiting have been told. */
async function start(home: string, issuer: FakeIssuer, ...flags: string[]): Promise<Running> {
  const running = startCli([...atIssuer(issuer), '--events', ...flags], { home })
  await running.prints(
    /^\{"schema_version":1,"event":"authorization_url","url":"http[^"]+"\}\n.*"waiting".*\}\n$/,
  )
  return running
}

async function ending({ ended }: Running) {
  const { exitCode, stdout } = await ended
  const events = stdout.trimEnd().split('\n')
  const { event, error, state } = JSON.parse(events.at(-1) ?? '')
  return { exitCode, lines: events.length, event, state, code: error?.code }
}

const FAILED = { lines: 3, event: 'failed', state: undefined }

test('events come one by one while a sign-in goes on, and status tells of it until it has ended', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const running = await start(home, issuer)
  const status = async () => JSON.parse((await runCli(['status', '--json'], { home })).stdout)
  expect(await status()).toMatchObject({
    state: 'none',
    login_in_progress: { pid: running.pid, method: 'browser' },
  })
  await signIn(await addressOf(running))
  expect(await ending(running)).toEqual({
    exitCode: 0,
    lines: 3,
    event: 'signed_in',
    state: 'valid',
    code: undefined,
  })
  expect(await status()).toMatchObject({ state: 'valid', login_in_progress: null })
})

test.each([
  ['SIGTERM', 143, 'terminated'],
  ['SIGINT', 130, 'interrupted'],
] as const)('%s ends it with %i, and the last event says so', async (signal, exitCode, code) => {
  const running = await start(newHome(), await newIssuer())
  running.kill(signal)
  expect(await ending(running)).toEqual({ ...FAILED, exitCode, code })
})

test('a second sign-in ends the first, whose last event says so', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const first = await start(home, issuer)
  const second = await start(home, issuer)
  expect(await ending(first)).toEqual({ ...FAILED, exitCode: 8, code: 'login_incomplete' })
  second.kill('SIGTERM')
  await second.ended
})

test('a closed standard input ends it only with --cancel-on-eof', async () => {
  const issuer = await newIssuer()
  const cancelled = await start(newHome(), issuer, '--cancel-on-eof')
  cancelled.stdin.end()
  expect(await ending(cancelled)).toEqual({ ...FAILED, exitCode: 8, code: 'login_incomplete' })
  const other = await start(newHome(), issuer)
  other.stdin.end()
  await signIn(await addressOf(other))
  expect(await ending(other)).toMatchObject({ exitCode: 0, event: 'signed_in' })
})

test('with --cancel-on-eof, a device sign-in that nobody finishes ends, and one that is finished lets a pipe be', async () => {
  const issuer = await newIssuer()
  const flags = ['login', '--device-code', '--issuer', issuer.issuer, '--events', '--cancel-on-eof']
  issuer.behaviour.device = { enabled: true, interval: '600', polls: [403] }
  const cancelled = startCli(flags, { home: newHome() })
  await cancelled.prints(/"device_code".*\n.*"waiting"/)
  cancelled.stdin.end()
  expect(await ending(cancelled)).toEqual({ ...FAILED, exitCode: 8, code: 'login_incomplete' })
  issuer.behaviour.device = { enabled: true, interval: '1', polls: ['approved'] }
  const finished = startCli(flags, { home: newHome() })
  expect(await ending(finished)).toMatchObject({ exitCode: 0, event: 'signed_in' })
})

test('with --cancel-on-eof, a pasted address counts, and the pipe may stay open', async () => {
  const running = await start(newHome(), await newIssuer(), '--cancel-on-eof')
  running.stdin.write(`${(await redirectFrom(await addressOf(running))).href}\n`)
  expect(await ending(running)).toMatchObject({ exitCode: 0, event: 'signed_in' })
})
