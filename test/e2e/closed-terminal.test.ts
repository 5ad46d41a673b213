import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PROGRAM, runCli } from '../support/cli.ts'
import { atIssuer, newHome, newIssuer } from '../support/e2e.ts'
import { recordOutput } from '../support/secrets.ts'
import { available } from '../support/shell.ts'
import { signIn } from '../support/sign-in.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const WITHOUT_TERMINAL = available(['script']).length === 0 ? 'needs script(1) of util-linux' : undefined

/** A terminal that can be closed under the program, by a shell that stays to say how the program ended. */
function onClosingTerminal(args: readonly string[], home: string) {
  const pipe = join(temporaryFolder(), 'exit-code')
  spawnSync('mkfifo', [pipe])
  const words = [process.execPath, PROGRAM, ...args].join(' ')
  const { PATH } = process.env
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--command', `trap "" HUP; ${words}; echo $? >${pipe}`, '/dev/null'],
    { env: { PATH, TERM: 'xterm', SHELL: '/bin/sh', CODEX_AUTH_HOME: home }, stdio: 'pipe' },
  )
  onTestFinished(() => recordOutput(shown, 'a terminal that was closed'))
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  return {
    shows: async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(shown)
        if (match !== null) return match
        await once(child.stdout, 'data')
      }
    },
    /** Resolves when nobody is at the other end of the terminal. */
    close: async (): Promise<void> => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    /** Resolves with the exit code: 128 and more for a signal that ended it. */
    exitCode: async (): Promise<number> => Number(await readFile(pipe, 'utf8')),
  }
}

async function signInInProgress(home: string): Promise<{ readonly pid: number } | null> {
  return JSON.parse((await runCli(['status', '--json'], { home })).stdout).login_in_progress
}

describe('when the terminal is closed', { skip: WITHOUT_TERMINAL !== undefined }, () => {
  test('a sign-in that its signal ends does so by itself, without a dump of its memory', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const terminal = onClosingTerminal(atIssuer(issuer), home)
    await terminal.shows(/Ctrl-C ends it/)
    const waiting = await signInInProgress(home)
    if (waiting === null) throw new Error('no sign-in waits')
    await terminal.close()
    process.kill(waiting.pid, 'SIGHUP')
    expect(await terminal.exitCode()).toBe(143)
    expect(await signInInProgress(home)).toBe(null)
  })

  test('a sign-in that gets no signal is finished by the browser', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const terminal = onClosingTerminal(atIssuer(issuer), home)
    const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
    await terminal.shows(/Ctrl-C ends it/)
    await terminal.close()
    expect((await signIn(address)).status).toBe(200)
    expect(await terminal.exitCode()).toBe(0)
    expect((await runCli(['token'], { home })).exitCode).toBe(0)
  })

  test('a countdown that nobody sees goes on', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    issuer.behaviour.device = { enabled: true, interval: '2', polls: ['approved'] }
    const terminal = onClosingTerminal(['login', '--device-code', '--issuer', issuer.issuer], home)
    await terminal.shows(/Waiting;/)
    await terminal.close()
    expect(await terminal.exitCode()).toBe(0)
    expect((await runCli(['token'], { home })).exitCode).toBe(0)
  })

  test('a secret that was asked for there does not come', async () => {
    const home = newHome()
    const terminal = onClosingTerminal(['login', '--with-api-key'], home)
    await terminal.shows(/not shown\): $/)
    await terminal.close()
    expect(await terminal.exitCode()).toBe(2)
  })
})
