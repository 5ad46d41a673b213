import { redirectFrom, redirectTo } from '../../test/support/e2e.ts'
import { signIn } from '../../test/support/sign-in.ts'
import { address, type Scene } from '../scene.ts'

/** A person at a terminal, with OpenAI's dialect. */
export const SIGN_IN: readonly Scene[] = [
  {
    title: 'A sign-in with the browser',
    // It is the person, here, who signs in.
    env: { DISPLAY: ':0', BROWSER: 'true' },
    play: async (terminal, { issuer, run }) => {
      await run('config', 'set', 'issuer', issuer.issuer)
      terminal.run('codex-auth login')
      await signIn(await address(terminal))
    },
  },
  {
    title: 'What is stored',
    play: async (terminal) => {
      terminal.run('codex-auth status')
      await terminal.ended()
      terminal.run('codex-auth token >/dev/null; echo $?')
    },
  },
  {
    title: 'Pasting, wrong and right',
    play: async (terminal) => {
      terminal.run('codex-auth login --profile work')
      const at = await address(terminal)
      terminal.enter('http://localhost:1455/auth/callback?code=from-yesterday&state=another')
      await terminal.shows(/earlier attempt/)
      terminal.enter(at)
      await terminal.shows(/address to sign in at\./)
      terminal.enter((await redirectFrom(at)).href)
    },
  },
  {
    title: 'A code alone, and a question',
    play: async (terminal) => {
      terminal.run('codex-auth login --profile work')
      const at = await address(terminal)
      terminal.enter((await redirectFrom(at)).searchParams.get('code') ?? '')
      await terminal.shows(/without its state/)
      terminal.enter('y')
    },
  },
  {
    title: 'Ended with Ctrl-C, and without a screen for a browser',
    columns: 40,
    play: async (terminal) => {
      terminal.run('codex-auth login')
      await address(terminal)
      terminal.press('C-c')
    },
  },
  {
    title: 'Taken over by another sign-in',
    play: async (terminal, { run }) => {
      terminal.run('codex-auth login --profile third')
      await address(terminal)
      await Promise.allSettled([
        run('login', '--no-browser', '--profile', 'third', '--timeout', '1'),
        terminal.ended(),
      ])
    },
  },
  {
    title: 'Denied by the workspace',
    play: async (terminal) => {
      terminal.run('codex-auth login --profile denied')
      const at = await address(terminal)
      const answer = { error: 'access_denied', error_description: 'missing_codex_entitlement' }
      await fetch(redirectTo(at, answer))
    },
  },
]
