import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { addressOf, runCli, startCli, type Ended, type Running } from '../support/cli.ts'
import {
  atIssuer,
  credentialFile,
  fingerprint,
  logIn,
  newHome,
  newIssuer,
  redirectUriOf,
} from '../support/e2e.ts'
import { hold } from '../support/fake-issuer.ts'
import { signIn } from '../support/sign-in.ts'

/** Milliseconds. A person who presses Ctrl-C takes that for at once. */
const AT_ONCE = 300

const SIGNALS = [
  { signal: 'SIGINT', exitCode: 130 },
  { signal: 'SIGTERM', exitCode: 143 },
  { signal: 'SIGHUP', exitCode: 143 },
] as const

describe('a sign-in that waits for its person', () => {
  test.for(SIGNALS)(
    'ends at once with $exitCode on $signal, frees its port and leaves the login before to the byte',
    async ({ signal, exitCode }) => {
      const home = newHome()
      const issuer = await newIssuer()
      await logIn(atIssuer(issuer), { home })
      const before = { credential: fingerprint(home), files: filesIn(home) }
      const running = startCli(atIssuer(issuer), { home })
      const address = await addressOf(running)
      const { ended, lingered } = await interrupt(running, signal)
      expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: '' })
      expect(lingered).toBeLessThan(AT_ONCE)
      expect({ credential: fingerprint(home), files: filesIn(home) }).toEqual(before)
      await listenOn(redirectUriOf(address))
    },
  )

  test('leaves nothing behind where nothing was', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    const running = startCli(atIssuer(issuer), { home })
    await addressOf(running)
    const { ended } = await interrupt(running, 'SIGINT')
    expect(ended.stderr.split('\n').slice(-3)).toEqual([
      'codex-auth: Interrupted.',
      '  Next: run the command again',
      '',
    ])
    expect(existsSync(credentialFile(home))).toBe(false)
  })
})

describe('a refresh token that is on its way', () => {
  test.for(SIGNALS)(
    'comes back and is saved before $signal ends the program with $exitCode',
    async ({ signal, exitCode }) => {
      const home = newHome()
      const issuer = await newIssuer()
      await logIn(atIssuer(issuer), { home })
      const held = hold()
      issuer.nextAnswers.push(held.answer)
      const running = startCli(['refresh'], { home })
      await held.arrived
      running.kill(signal)
      expect(await isStillRunning(running, home)).toBe(true)
      held.release()
      const ended = await running.ended
      const token = await runCli(['token'], { home })
      expect({ ended: ended.exitCode, token: token.exitCode }).toEqual({ ended: exitCode, token: 0 })
      expect(issuer.accepts(token.stdout.trim())).toBe(true)
      expect((await runCli(['refresh', '--quiet'], { home })).exitCode).toBe(0)
      expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
        refreshes: 2,
        spentTwice: 0,
      })
    },
  )

  test('is saved as well when the signal comes twice', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await logIn(atIssuer(issuer), { home })
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const running = startCli(['refresh'], { home })
    await held.arrived
    running.kill('SIGINT')
    expect(await isStillRunning(running, home)).toBe(true)
    running.kill('SIGINT')
    expect(await isStillRunning(running, home)).toBe(true)
    held.release()
    expect((await running.ended).exitCode).toBe(130)
    expect((await runCli(['refresh', '--quiet'], { home })).exitCode).toBe(0)
    expect(issuer.spentTwice).toBe(0)
  })
})

test('an authorization code that is on its way ends in a saved login before the signal counts', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const running = startCli(atIssuer(issuer), { home })
  const page = signIn(await addressOf(running))
  await held.arrived
  running.kill('SIGINT')
  expect(await isStillRunning(running, home)).toBe(true)
  held.release()
  const [{ exitCode }] = await Promise.all([running.ended, page.catch(() => undefined)])
  const token = await runCli(['token'], { home })
  expect({ exitCode, token: token.exitCode }).toEqual({ exitCode: 130, token: 0 })
  expect(issuer.accepts(token.stdout.trim())).toBe(true)
})

async function interrupt(
  running: Running,
  signal: NodeJS.Signals,
): Promise<{ ended: Ended; lingered: number }> {
  const sent = performance.now()
  running.kill(signal)
  const ended = await running.ended
  return { ended, lingered: performance.now() - sent }
}

/** Whether it is there for as long as another whole program takes to start and end. */
async function isStillRunning(running: Running, home: string): Promise<boolean> {
  const other = runCli(['status'], { home })
  return Promise.race([running.ended.then(() => false), other.then(() => true)])
}

/** Listens where the redirect would have come to, on both families, or fails. */
async function listenOn(redirectUri: string): Promise<void> {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer().listen({ port: Number(new URL(redirectUri).port), host })
    await once(server, 'listening')
    server.close()
  }
}

function filesIn(home: string): string[] {
  return readdirSync(home, { recursive: true }).map(String).toSorted()
}
