import { address, type Scene } from '../scene.ts'

/** A person whose browser is on another machine. */
export const ELSEWHERE: readonly Scene[] = [
  {
    title: 'Over SSH',
    env: { SSH_CONNECTION: '203.0.113.5 50000 192.0.2.10 22' },
    play: async (terminal) => {
      terminal.run('codex-auth login')
      await address(terminal)
      terminal.press('C-c')
    },
  },
  {
    title: 'In a container',
    play: async (terminal) => {
      terminal.run('codex-auth login')
      await address(terminal)
      terminal.press('C-c')
    },
  },
  {
    title: 'In a container whose port is mapped',
    play: async (terminal) => {
      terminal.run('codex-auth login --listen 0.0.0.0')
      await address(terminal)
      terminal.press('C-c')
    },
  },
  {
    title: 'A device code',
    play: async (terminal, { provider }) => {
      const { issuer, clientId } = provider
      terminal.run(
        `codex-auth login --provider oidc --issuer ${issuer} --client-id ${clientId} --device-code`,
      )
      await terminal.shows(/Waiting; /)
      terminal.press('C-c')
    },
  },
  {
    title: 'A device code of OpenAI, on a terminal too narrow for its QR code',
    columns: 30,
    play: async (terminal) => {
      terminal.run('codex-auth login --device-code')
      await terminal.shows(/min left/)
      terminal.press('C-c')
    },
  },
  {
    title: 'TERM=dumb and --quiet: no line that counts, no QR code',
    env: { TERM: 'dumb' },
    play: async (terminal) => {
      terminal.run('codex-auth login --device-code --quiet')
      await terminal.shows(/the code:\n\n\S+/)
      terminal.press('C-c')
    },
  },
]
