import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { atIssuer, newHome, newIssuer, redirectFrom } from '../support/e2e.ts'
import { startShell, type InteractiveShell } from '../support/interactive-shell.ts'
import { recordSecret, type SecretKind } from '../support/secrets.ts'
import { available } from '../support/shell.ts'
import { signIn } from '../support/sign-in.ts'

const API_KEY = 'sk-proj-typed-in-two-parts-0123456789'
recordSecret(API_KEY, 'api_key')

/** A terminal shows what is typed at it. */
const TYPED = ['authorization_code', 'state'] as const
const CTRL_Z = '\x1a'
const WITHOUT_SHELL = available(['bash', 'script']).length < 2 ? 'needs bash and script(1)' : undefined

/** A shell with job control, at its prompt. */
async function atPrompt(home: string, mayContain: readonly SecretKind[] = []): Promise<InteractiveShell> {
  const command = 'bash --noprofile --rcfile "$START" -i'
  const shell = startShell({ home, command, mayContain, start: "PS1='ready> '" })
  onTestFinished(() => shell.end())
  await shell.shows(/ready> $/)
  return shell
}

/** Runs other commands meanwhile. */
async function workOn(shell: InteractiveShell): Promise<void> {
  for (const word of ['one', 'two', 'three']) {
    shell.type(`echo "$((1 + 1)) ${word}"\n`)
    await shell.shows(new RegExp(`2 ${word}\r\n`))
  }
}

describe('in a shell with job control', { skip: WITHOUT_SHELL !== undefined }, () => {
  test('a secret is still asked for after Ctrl-Z and fg, and never becomes a command', async () => {
    const home = newHome()
    const shell = await atPrompt(home)
    shell.type('codex-auth login --with-api-key\n')
    await shell.shows(/not shown\): $/)
    shell.type(`${API_KEY.slice(0, 10)}${CTRL_Z}`)
    await shell.shows(/Stopped.*ready> $/s)
    shell.type('fg\n')
    await shell.shows(/fg\r\n.*not shown\): $/s)
    shell.type(`${API_KEY.slice(10)}\r`)
    await shell.shows(/not shown\): \r\nSaved an API key, profile "default"\.\r\nready> $/)
    expect((await runCli(['token'], { home })).stdout).toBe(`${API_KEY}\n`)
  })

  test('a secret stays hidden when something else has stopped its prompt', async () => {
    const home = newHome()
    const shell = await atPrompt(home)
    shell.type('(echo "pid $BASHPID"; exec codex-auth login --with-api-key)\n')
    const [, pid] = await shell.shows(/pid (\d+)\r\n.*not shown\): $/s)
    process.kill(Number(pid), 'SIGSTOP')
    await shell.shows(/Stopped.*ready> $/s)
    shell.type('fg\n')
    await shell.shows(/fg\r\n.*not shown\): $/s)
    shell.type(`${API_KEY}\r`)
    const [shown] = await shell.shows(
      /^.*not shown\): \r\nSaved an API key, profile "default"\.\r\nready> $/s,
    )
    expect(shown).not.toContain(API_KEY)
  })

  test('a sign-in in the background is finished by the browser, whatever is typed meanwhile', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const shell = await atPrompt(home)
    shell.type(`codex-auth ${atIssuer(issuer).join(' ')} &\n`)
    const [, address = ''] = await shell.shows(/^(http\S+)\r\n/m)
    await shell.shows(/Ctrl-C ends it/)
    await workOn(shell)
    expect((await signIn(address)).status).toBe(200)
    await shell.shows(/Signed in as alice@example\.com/)
    shell.type('jobs; echo done\n')
    expect((await shell.shows(/Signed in.*done\r\n/s))[0]).not.toMatch(/Stopped/)
  })

  test('a sign-in that is moved to the background goes on, although somebody has typed ahead', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const shell = await atPrompt(home)
    shell.type(`codex-auth ${atIssuer(issuer).join(' ')}\n`)
    const [, address = ''] = await shell.shows(/^(http\S+)\r\n/m)
    await shell.shows(/Ctrl-C ends it/)
    shell.type(CTRL_Z)
    await shell.shows(/Stopped.*ready> $/s)
    // Until it has gone on, and waits again, nobody takes what was typed.
    const goneOn = 'until grep -q "^State:.S" /proc/$(jobs -p)/status; do :; done'
    shell.type(`read -rs word; bg; ${goneOn}; read -rs word; echo "read $word"\n`)
    await shell.shows(/read \$word"\r\n/)
    shell.type('first\nsecond\n')
    await shell.shows(/read second\r\n/)
    expect((await signIn(address)).status).toBe(200)
    await shell.shows(/Signed in as alice@example\.com/)
  })

  test('a countdown in the background does not write over the line of another job', async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    issuer.behaviour.device = { enabled: true, interval: '1', polls: [403, 403, 'approved'] }
    const shell = await atPrompt(home)
    shell.type(`codex-auth login --device-code --timeout 50 --issuer ${issuer.issuer} &\n`)
    const [shown] = await shell.shows(/enter the code:.*Signed in as alice@example\.com/s)
    expect(shown).not.toMatch(/Waiting;| left/)
  })

  test.each([
    ['started there', ' &', 0],
    ['moved there', '', 1],
  ])('a sign-in in the background, %s, takes what is pasted after fg', async (how, ending, stops) => {
    const [home, issuer] = [newHome(), await newIssuer()]
    const shell = await atPrompt(home, TYPED)
    shell.type(`codex-auth ${atIssuer(issuer).join(' ')}${ending}\n`)
    const [, address = ''] = await shell.shows(/^(http\S+)\r\n/m)
    await shell.shows(/Ctrl-C ends it/)
    if (how === 'moved there') {
      shell.type(CTRL_Z)
      await shell.shows(/Stopped.*ready> $/s)
      shell.type('bg\n')
      await shell.shows(/bg\r\n.*&\r\n/s)
    }
    await workOn(shell)
    shell.type('fg\n')
    await shell.shows(/fg\r\n.*codex-auth/s)
    shell.type(`${(await redirectFrom(address)).href}\n`)
    const [shown] = await shell.shows(/^.*Signed in as alice@example\.com/s)
    expect(shown.match(/Stopped/g)?.length ?? 0).toBe(stops)
  })
})
