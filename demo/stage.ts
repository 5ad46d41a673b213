import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startOpenIdProvider, type OpenIdProvider } from '../test/support/openid-provider.ts'
import { programIn, type Program } from './program.ts'

/** What the demo plays on: an authorization server on this machine, and a private folder for the program. */
export interface Stage {
  readonly provider: OpenIdProvider
  readonly home: string
  readonly program: Program
  /** Ends the programs, then the provider, and removes the folder. Resolves with what failed in the provider itself. */
  close(): Promise<readonly unknown[]>
}

export async function openStage(): Promise<Stage> {
  const provider = await startOpenIdProvider()
  const home = mkdtempSync(join(tmpdir(), 'codex-auth-'))
  const removeHome = (): void => rmSync(home, { recursive: true, force: true })
  // However this process ends: a fault of the demo itself leaves nothing behind either.
  process.once('exit', removeHome)
  const program = programIn(home)
  return {
    provider,
    home,
    program,
    close: async () => {
      await program.stop()
      removeHome()
      return faultsOf(provider)
    },
  }
}

async function faultsOf(provider: OpenIdProvider): Promise<readonly unknown[]> {
  try {
    await provider.close()
    return []
  } catch (error) {
    return error instanceof AggregateError ? error.errors : [error]
  }
}
