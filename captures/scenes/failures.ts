import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { address, type Scene } from '../scene.ts'

/** What stands in the way, and the one thing to do about it. */
export const FAILURES: readonly Scene[] = [
  {
    title: 'Both ports taken by another program',
    // The number of a process must not decide where a line ends.
    columns: 160,
    play: async (terminal, { home }) => {
      const endOther = await takePorts(join(home, 'web-server.js'))
      terminal.run('codex-auth login')
      await address(terminal)
      terminal.press('C-c')
      await endOther()
    },
  },
  {
    title: 'Nobody is there',
    play: async (terminal) => {
      terminal.run('codex-auth login </dev/null 2>&1 | cat; echo ${PIPESTATUS[0]}')
    },
  },
  {
    title: 'Behind a proxy that is not there',
    env: { HTTPS_PROXY: 'http://127.0.0.1:9' },
    play: async (terminal) => {
      terminal.run('codex-auth login --provider oidc --issuer https://login.example.com --client-id x')
    },
  },
  {
    title: 'A word that is not known',
    play: async (terminal) => {
      terminal.run('codex-auth lgin')
    },
  },
  {
    title: 'Help',
    play: async (terminal) => {
      terminal.run('codex-auth --help')
    },
  },
]

const LISTENS = `
  let left = 2
  const ready = () => { if (--left === 0) console.log('ready') }
  for (const port of [1455, 1457]) require('node:net').createServer().listen(port, '127.0.0.1', ready)`

/** Starts this script, which takes the ports of the redirect, and resolves with what ends it. */
async function takePorts(script: string): Promise<() => Promise<void>> {
  writeFileSync(script, LISTENS)
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return async () => {
    child.kill()
    await once(child, 'close')
  }
}
