import type { OwnCommand } from '../core/codex-provider.ts'
import type { Credential } from '../core/credential.ts'
import type { SetUpCodexPorts } from '../core/set-up-codex.ts'
import { codexConfigurationFile } from './codex/configuration-file.ts'
import { tomlOf } from './codex/toml.ts'
import { isTemporary, ownCommand, type Program } from './own-command.ts'
import { isFedRamp } from './provider/fedramp.ts'

interface CodexSetup extends SetUpCodexPorts {
  readonly command: OwnCommand
  readonly isTemporary: boolean
  isFedRamp(credential: Credential): boolean
}

/** What setting up Codex needs of the world. @throws {AuthError} `usage` for a `CODEX_HOME` that is no folder. */
export function codexSetup(env: Readonly<Record<string, string | undefined>>, program: Program): CodexSetup {
  const configuration = codexConfigurationFile(env)
  return {
    configuration,
    toml: tomlOf(configuration.path),
    command: ownCommand(program),
    isTemporary: isTemporary(program),
    isFedRamp,
  }
}
