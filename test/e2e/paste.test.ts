import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addressOf, PROGRAM, runCli, startCli } from '../support/cli.ts'
import { atIssuer, newHome, newIssuer, redirectFrom, signInSaid } from '../support/e2e.ts'
import { recordOutput } from '../support/secrets.ts'
import { available } from '../support/shell.ts'
import { signIn } from '../support/sign-in.ts'
import { startOnTerminal } from '../support/terminal.ts'

/** Milliseconds in which a program that has done its work is gone. */
const AT_ONCE = 1000

/** A terminal shows what is typed at it. */
const TYPED = ['authorization_code', 'state'] as const

const WITHOUT_TERMINAL = available(['script']).length === 0 ? 'needs script(1) of util-linux' : undefined

describe('an address that is pasted into a pipe', () => {
  test('finishes the sign-in, and the pipe that stays open keeps nothing', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const running = startCli(atIssuer(issuer), { home })
    const address = await addressOf(running)
    running.stdin.write(`${(await redirectFrom(address)).href}\n`)
    const pasted = performance.now()
    expect(await running.ended).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: signInSaid(address, 'alice@example.com (plus)'),
    })
    expect(performance.now() - pasted).toBeLessThan(AT_ONCE)
    expect((await runCli(['token'], { home })).exitCode).toBe(0)
  })

  test('may come after others, and nothing of any is shown', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const running = startCli(atIssuer(issuer), { home })
    const address = await addressOf(running)
    const redirect = await redirectFrom(address)
    running.stdin.write('http://localhost:1455/auth/callback?code=a-code-of-before&state=a-state-of-before\n')
    await running.says(/belongs to an earlier attempt/)
    running.stdin.write(`${redirect.searchParams.get('code')}\n`)
    await running.says(/A code alone is not taken from a pipe/)
    running.stdin.end(redirect.search)
    const { exitCode, stderr } = await running.ended
    expect({ exitCode, shown: /of-before|ac_/.test(stderr) }).toEqual({ exitCode: 0, shown: false })
  })

  test('is not needed: the browser ends the sign-in while somebody holds the pipe open', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const running = holdingItsInput(atIssuer(issuer), home)
    const [, address = ''] = await running.says(/^(http\S+)\n/m)
    await signIn(address)
    const shown = performance.now()
    expect(await running.says(/^left with (\d+)$/m)).toMatchObject({ 1: '0' })
    expect(performance.now() - shown).toBeLessThan(AT_ONCE)
  })

  test('ends nothing when it does not come: the end of the input is not the end', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const running = startCli(atIssuer(issuer), { home })
    const address = await addressOf(running)
    running.stdin.end()
    await signIn(address)
    expect(await running.ended).toMatchObject({ exitCode: 0 })
  })
})

describe('at a terminal', { skip: WITHOUT_TERMINAL !== undefined }, () => {
  test('an address is pasted, and the program is gone', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const terminal = startOnTerminal(atIssuer(issuer), { home, mayContain: TYPED })
    const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
    await terminal.shows(/paste the address it ends on/)
    terminal.type(`${(await redirectFrom(address)).href}\n`)
    const pasted = performance.now()
    expect((await terminal.ended).exitCode).toBe(0)
    expect(performance.now() - pasted).toBeLessThan(AT_ONCE)
  })

  test('a code alone is asked about', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const terminal = startOnTerminal(atIssuer(issuer), { home, mayContain: TYPED })
    const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
    const { searchParams } = await redirectFrom(address)
    terminal.type(`${searchParams.get('code')}\n`)
    await terminal.shows(/\[y\/N\]/)
    terminal.type('y\n')
    expect((await terminal.ended).exitCode).toBe(0)
  })

  test('the browser comes back although nobody typed, and the program is gone', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const terminal = startOnTerminal(atIssuer(issuer), { home })
    const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
    await signIn(address)
    const shown = performance.now()
    expect((await terminal.ended).exitCode).toBe(0)
    expect(performance.now() - shown).toBeLessThan(AT_ONCE)
  })

  test('nothing can listen, and pasting still works', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    await Promise.all([occupy(1455), occupy(1457)])
    const args = ['login', '--no-browser', '--issuer', issuer.issuer]
    const terminal = startOnTerminal(args, { home, mayContain: TYPED })
    await terminal.shows(/warning: Nothing can listen for the redirect on this machine: port 1455 is in use/)
    const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
    expect(new URL(address).searchParams.get('redirect_uri')).toBe('http://localhost:1455/auth/callback')
    terminal.type(`${(await redirectFrom(address)).href}\n`)
    expect((await terminal.ended).exitCode).toBe(0)
  })
})

/** A sign-in whose input is a shell's pipe that stays open for a minute, as in `sleep 60 | codex-auth login`. */
function holdingItsInput(args: readonly string[], home: string) {
  const { PATH } = process.env
  const child = spawn(
    'sh',
    ['-c', 'sleep 60 | { "$@"; echo "left with $?" >&2; }', 'sh', process.execPath, PROGRAM, ...args],
    { env: { PATH, CODEX_AUTH_HOME: home }, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
  onTestFinished(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    recordOutput(shown, 'stderr of a pipeline')
  })
  let shown = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (shown += text))
  return {
    says: async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(shown)
        if (match !== null) return match
        await once(child.stderr, 'data')
      }
    },
  }
}

/** Listens there until the test is over. */
async function occupy(port: number): Promise<void> {
  const server = createServer().listen({ port, host: '127.0.0.1' })
  onTestFinished(() => void server.close())
  await once(server, 'listening')
}
