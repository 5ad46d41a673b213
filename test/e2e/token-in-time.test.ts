import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli, startCli, type Ended } from '../support/cli.ts'
import { credentialFile, fingerprint, newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { answers, hold, type FakeIssuer } from '../support/fake-issuer.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

/** Seconds. What Codex is told is four; here, two are waited for several times. */
const TIMEOUT = 2
const TOKEN = ['token', '--timeout', `${TIMEOUT}s`]

/** Milliseconds in which Codex ends a command unless told otherwise. */
const CODEX_WAITS = 5000

/** A login at this issuer whose access token lives so many seconds more. */
async function loggedIn(
  accessTokenLifetime: number,
): Promise<{ home: string; issuer: FakeIssuer; token: string }> {
  const home = newHome()
  const issuer = await newIssuer()
  const login = issuer.issueLogin({ accessTokenLifetime })
  // Issued long ago: one that is fresh and short-lived would be left alone.
  await storeLogin(home, login, { obtainedAt: login.issuedAt - 3600 })
  onTestFinished(() => nothingRuns(home))
  return { home, issuer, token: login.accessToken }
}

/** One call, and that it answered in time. */
async function call(home: string, words: readonly string[] = TOKEN): Promise<Ended> {
  const start = performance.now()
  const ended = await runCli(words, { home })
  expect(performance.now() - start).toBeLessThan(CODEX_WAITS)
  return ended
}

describe('token --timeout', () => {
  test('waits for a refresh that is quick enough, and prints the new token', async () => {
    const { home, issuer, token } = await loggedIn(-60)
    const { exitCode, stdout, stderr } = await call(home)
    expect({ exitCode, stderr, isNew: stdout !== `${token}\n` }).toEqual({
      exitCode: 0,
      stderr: '',
      isNew: true,
    })
    expect(issuer.accepts(stdout.trim())).toBe(true)
    expect(issuer.requests.at(-1)?.parameters).toMatchObject({ refresh_reason: 'proactive_expiry' })
  })

  test('a provider that takes longer: 5 in time, and its answer is there for the next call', async () => {
    const { home, issuer } = await loggedIn(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    expect(await call(home)).toEqual({
      exitCode: 5,
      stdout: '',
      stderr:
        'codex-auth: The refresh takes longer than --timeout allows; it goes on by itself.\n  Next: try again in a moment: the new token is there as soon as the provider has answered\n',
    })
    held.release()
    await nothingRuns(home)
    const { exitCode, stdout } = await call(home)
    expect({ exitCode, accepted: issuer.accepts(stdout.trim()) }).toEqual({ exitCode: 0, accepted: true })
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('a token that still lives is handed out when the provider takes longer', async () => {
    const { home, issuer, token } = await loggedIn(60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const ended = await call(home)
    held.release()
    expect({ ...ended, stdout: ended.stdout === `${token}\n` }).toEqual({
      exitCode: 0,
      stdout: true,
      stderr:
        'codex-auth: warning: The refresh takes longer than --timeout allows; it goes on by itself. The stored token still lives and is used.\n',
    })
    await nothingRuns(home)
    expect(issuer.accepts((await call(home)).stdout.trim())).toBe(true)
    expect(issuer.refreshes).toBe(1)
  })

  test.for(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ended by %s while the answer is on its way: nothing is lost',
    async (signal) => {
      const { home, issuer } = await loggedIn(-60)
      const held = hold()
      issuer.nextAnswers.push(held.answer)
      const running = startCli(TOKEN, { home })
      await held.arrived
      running.kill(signal)
      const { exitCode, stdout } = await running.ended
      const expected = { SIGKILL: null, SIGTERM: 143, SIGINT: 130 }[signal]
      expect({ exitCode, stdout }).toEqual({ exitCode: expected, stdout: '' })
      held.release()
      await nothingRuns(home)
      const next = await call(home)
      expect({ exitCode: next.exitCode, accepted: issuer.accepts(next.stdout.trim()) }).toEqual({
        exitCode: 0,
        accepted: true,
      })
      expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
        refreshes: 1,
        spentTwice: 0,
      })
    },
  )

  test('a stopped process that holds the lock does not hold up the answer', async () => {
    const { home, issuer } = await loggedIn(-60)
    const held = hold()
    issuer.nextAnswers.push(held.answer)
    const holder = startCli(['refresh'], { home })
    await held.arrived
    holder.kill('SIGSTOP')
    expect(await call(home)).toMatchObject({ exitCode: 5, stdout: '' })
    holder.kill('SIGCONT')
    held.release()
    expect((await holder.ended).exitCode).toBe(0)
    await nothingRuns(home)
    expect(issuer.refreshes).toBe(1)
  })

  test('20 calls at once make one refresh and print the same token', async () => {
    const { home, issuer } = await loggedIn(-60)
    const ended = await Promise.all(
      Array.from({ length: 20 }, () => runCli(['token', '--timeout', '20s'], { home })),
    )
    expect(ended.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      ended.map(() => ({ exitCode: 0, stderr: '' })),
    )
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1)
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  })

  test('20 calls at once make one refresh where tokens never live as long as is asked', async () => {
    const { home, issuer } = await loggedIn(-60)
    issuer.behaviour.accessTokenLifetime = 120
    await Promise.all(Array.from({ length: 20 }, () => runCli(['token', '--timeout', '20s'], { home })))
    await nothingRuns(home)
    expect(issuer.refreshes).toBe(1)
  })
})

describe('token --timeout, with the token over, ends in time and prints nothing', () => {
  test.for([
    ['a gateway that is down', answers.html(502), 5],
    ['a hang-up', answers.hangUpUnread, 5],
    ['no JSON', answers.notJson(), 5],
    ['a refusal', answers.json(400, { error: 'invalid_grant' }), 4],
  ] as const)('%s', async ([, answer, exitCode]) => {
    const { home, issuer } = await loggedIn(-60)
    issuer.behaviour.standingAnswer = answer
    const ended = await call(home, ['token', '--timeout', '4s'])
    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toMatch(/^codex-auth: .*\n {2}Next: .*\n$/)
  })

  test('nobody is signed in', async () => {
    expect(await call(newHome())).toMatchObject({ exitCode: 4, stdout: '' })
  })

  test('a refusal, in the words of the process that met it, for the profile it is about', async () => {
    const { home, issuer } = await loggedIn(-60)
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }), {}, 'work')
    issuer.nextAnswers.push(answers.json(401, { error: { code: 'refresh_token_expired' } }))
    const { exitCode, stdout, stderr } = await call(home, [...TOKEN, '--profile', 'work'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' })
    expect(stderr).toMatch(
      /^codex-auth: The provider does not renew this login any more: its refresh token has expired \(.*\)\.\n {2}Next: codex-auth login --profile work\n$/,
    )
  })

  test('a damaged store', async () => {
    const { home, issuer } = await loggedIn(-60)
    writeFileSync(credentialFile(home), 'damaged', { mode: 0o600 })
    expect(await call(home)).toMatchObject({ exitCode: 6, stdout: '' })
    expect(issuer.requests).toEqual([])
  })

  test('a full disk, with nothing spent', async ({ skip }) => {
    const disk = mountSmallDisk() ?? skip('this process may not mount a file system')
    onTestFinished(() => disk.remove())
    const issuer = await newIssuer()
    await storeLogin(disk.path, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const before = fingerprint(disk.path)
    disk.fill()
    expect(await call(disk.path)).toMatchObject({ exitCode: 7, stdout: '' })
    expect(issuer.requests).toEqual([])
    expect(fingerprint(disk.path)).toBe(before)
    await nothingRuns(disk.path)
  })
})

/** Resolves when no process is left that keeps everything in this folder. */
async function nothingRuns(home: string): Promise<void> {
  await expect.poll(() => processesOf(home), { timeout: 20_000, interval: 20 }).toEqual([])
}

function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).split('\0').includes(`CODEX_AUTH_HOME=${home}`))
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'environ'), 'latin1')
  } catch {
    // It has just ended.
    return ''
  }
}
