import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { OAuth2Server } from 'oauth2-mock-server'
import { PROGRAM, runCli } from '../test/support/cli.ts'
import { startFakeIssuer } from '../test/support/fake-issuer.ts'
import { startOpenIdProvider } from '../test/support/openid-provider.ts'
import type { Scene, Stage } from './scene.ts'
import { startTerminal, type Terminal } from './terminal.ts'

export interface Theatre extends Stage {
  open(scene: Pick<Scene, 'columns' | 'env'>): Promise<Terminal>
  close(): Promise<void>
}

/** Three issuers on this machine, and a home of its own for the program. */
export async function openTheatre(): Promise<Theatre> {
  const [issuer, provider, other] = await Promise.all([
    startFakeIssuer(),
    startOpenIdProvider(),
    startOtherServer(),
  ])
  // Nobody enters a device code: what is shown until then is the scene.
  issuer.behaviour.device = { ...issuer.behaviour.device, polls: [403] }
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'codex-auth-home-'))
  symlinkSync(PROGRAM, join(home, 'codex-auth'))
  const PATH = [home, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
  // Where it runs is known here: a container says so on every machine.
  const env = { PATH, HOME: home, USER: 'alice', LANG: 'C.UTF-8', container: 'podman' }
  return {
    issuer,
    provider,
    otherServer: other.issuer.url ?? '',
    home,
    run: async (...args) => {
      const { exitCode, stderr } = await runCli(args, { home: join(home, '.config', 'codex-auth') })
      if (exitCode !== 0) throw new Error(`codex-auth ${args[0]} ended with ${exitCode}: ${stderr}`)
    },
    open: (scene) => startTerminal({ columns: scene.columns ?? 80, env: { ...env, ...scene.env } }),
    close: async () => {
      await Promise.all([issuer.close(), provider.close(), other.stop()])
      // What a closed terminal has ended may still be tidying up.
      rmSync(home, { recursive: true, maxRetries: 20, retryDelay: 50 })
    },
  }
}

async function startOtherServer(): Promise<OAuth2Server> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  return server
}
