import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { newHome } from '../support/e2e.ts'
import { startShell, type InteractiveShell } from '../support/interactive-shell.ts'
import { recordSecret } from '../support/secrets.ts'
import { available } from '../support/shell.ts'

const API_KEY = 'sk-proj-typed-in-two-parts-0123456789'
recordSecret(API_KEY, 'api_key')

const CTRL_Z = '\x1a'
const WITHOUT_SHELL = available(['bash', 'script']).length < 2 ? 'needs bash and script(1)' : undefined

/** A shell with job control, at its prompt. */
async function atPrompt(home: string): Promise<InteractiveShell> {
  const command = 'bash --noprofile --rcfile "$START" -i'
  const shell = startShell({ home, command, start: "PS1='ready> '" })
  onTestFinished(() => shell.end())
  await shell.shows(/ready> $/)
  return shell
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
})
