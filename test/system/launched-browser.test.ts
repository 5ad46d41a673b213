import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { expect, onTestFinished, test, vi } from 'vitest'
import { CHROMIUM, CHROMIUM_FLAGS, fillIn } from '../support/chromium.ts'
import { addressOf, runCli, startCli } from '../support/cli.ts'
import { atIssuer, atProvider, newHome, newIssuer, newProvider } from '../support/e2e.ts'

test('login opens the browser that BROWSER names, and none of its noise reaches our output', async () => {
  const [home, provider] = [newHome(), await newProvider()]
  const chromiumHome = newFolder()
  const command = [
    CHROMIUM,
    ...CHROMIUM_FLAGS,
    '--remote-debugging-port=0',
    `--user-data-dir=${chromiumHome}`,
  ]
  const env = { BROWSER: script(`echo noise; echo noise >&2; exec ${command.join(' ')} "$1"`) }
  const running = startCli(opening(atProvider(provider)), { home, env })
  const address = await addressOf(running)
  const { browser, page } = await attachTo(chromiumHome)
  await fillIn(page)
  const shown = performance.now()
  expect(await running.ended).toEqual({ exitCode: 0, stdout: '', stderr: said(address, 'alice@example.com') })
  expect(performance.now() - shown).toBeLessThan(1000)
  expect(browser.isConnected()).toBe(true)
  expect((await runCli(['token'], { home })).exitCode).toBe(0)
})

test('a browser that is signed in already, and stays, keeps the program no longer', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const done = join(newFolder(), 'done')
  const visit = `fetch(process.argv[1]).then((page) => page.text()).then(() => require("fs").writeFileSync("${done}", ""))`
  const stay = 'setTimeout(() => {}, 20000)'
  const env = { BROWSER: script(`exec ${process.execPath} -e '${visit}; ${stay}' "$1"`) }
  const running = startCli(opening(atIssuer(issuer)), { home, env })
  await vi.waitUntil(() => existsSync(done), { timeout: 20_000, interval: 5 })
  const shown = performance.now()
  const { exitCode, stdout } = await running.ended
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
  expect(performance.now() - shown).toBeLessThan(1000)
})

test('a browser that does not start is said, and the sign-in goes on', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const running = startCli(opening(atIssuer(issuer)), { home, env: { BROWSER: script('exit 1') } })
  const address = await addressOf(running)
  await running.says(/no browser could be started/)
  await (await fetch(address)).text()
  expect((await running.ended).exitCode).toBe(0)
})

test('Ctrl-C right after the browser was opened ends the sign-in at once', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const started = join(newFolder(), 'started')
  const running = startCli(opening(atIssuer(issuer)), {
    home,
    env: { BROWSER: script(`touch ${started}; exec sleep 20`) },
  })
  await vi.waitUntil(() => existsSync(started), { timeout: 20_000, interval: 5 })
  const sent = performance.now()
  running.kill('SIGINT')
  expect((await running.ended).exitCode).toBe(130)
  expect(performance.now() - sent).toBeLessThan(300)
})

/** The same sign-in with a browser. */
function opening(args: readonly string[]): string[] {
  return args.map((word) => (word === '--no-browser' ? '--browser' : word))
}

function said(address: string, account: string): string {
  return [
    'Opening your browser to sign in. The address, in case it does not show:',
    '',
    address,
    '',
    'Waiting up to 5 min for the sign-in. Ctrl-C ends it and changes nothing.',
    `Signed in as ${account}, profile "default".`,
    '',
  ].join('\n')
}

/** A program of a few words, as `BROWSER` takes it; it is ended with the test. */
function script(text: string): string {
  const folder = newFolder()
  const [path, pid] = [join(folder, 'browser'), join(folder, 'pid')]
  writeFileSync(path, `#!/bin/sh\necho $$ >${pid}\n${text}\n`)
  chmodSync(path, 0o700)
  onTestFinished(() => endProcess(Number(readFileSync(pid, 'utf8'))))
  return path
}

async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGTERM')
  await vi.waitUntil(() => !signal(pid, 0), { timeout: 10_000 })
}

/** `false`: it has ended. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-browser-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}

/** Takes hold of a Chromium that somebody else has started, and ends it when the test is over. */
async function attachTo(home: string): Promise<{ browser: Browser; page: Page }> {
  const told = join(home, 'DevToolsActivePort')
  const [port] = await vi.waitUntil(() => existsSync(told) && /^\d+(?=\n)/.exec(readFileSync(told, 'utf8')), {
    timeout: 30_000,
  })
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`)
  onTestFinished(async () => {
    const session = await browser.newBrowserCDPSession()
    const gone = new Promise((resolve) => browser.once('disconnected', resolve))
    await session.send('Browser.close')
    await gone
  })
  const [page] = browser.contexts().flatMap((context) => context.pages())
  if (page === undefined) throw new Error('the browser shows no page')
  return { browser, page }
}
