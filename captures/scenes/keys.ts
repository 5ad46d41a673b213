import type { Scene } from '../scene.ts'

/** What is typed and not shown, or brought by a pipe. */
export const KEYS: readonly Scene[] = [
  {
    title: 'An API key that would end a sign-in',
    play: async (terminal) => {
      terminal.run('codex-auth login --with-api-key')
      await terminal.shows(/not shown/)
      terminal.enter('sk-proj-an-example-of-a-key-0000')
      await terminal.shows(/Replace it/)
      terminal.enter('n')
    },
  },
  {
    title: 'An API key from a pipe',
    env: { OPENAI_API_KEY: 'sk-proj-an-example-of-a-key-0000' },
    play: async (terminal) => {
      terminal.run('printenv OPENAI_API_KEY | codex-auth login --with-api-key --profile key')
      await terminal.ended()
      terminal.run('codex-auth profile list')
    },
  },
]
