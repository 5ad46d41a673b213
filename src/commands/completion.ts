import { Argument, type Command } from 'commander'
import { addCompleteCommand } from './complete.ts'
import { COMPLETION_SCRIPTS } from './completion-scripts.ts'
import type { Context } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult } from './output.ts'

const SHELLS = Object.keys(COMPLETION_SCRIPTS) as (keyof typeof COMPLETION_SCRIPTS)[]

const LOADING = `
To load it in bash, put this into ~/.bashrc:
  source <(codex-auth completion bash)
In zsh, into ~/.zshrc, after compinit:
  source <(codex-auth completion zsh)
In fish, into ~/.config/fish/config.fish:
  codex-auth completion fish | source
In PowerShell, into the file that $PROFILE names:
  codex-auth completion powershell | Out-String | Invoke-Expression`

/** `codex-auth completion`: the script that makes a shell ask `__complete`, and so never falls behind the program. */
export function addCompletionCommand(program: Command, context: Context): void {
  program
    .command('completion')
    .description('Print the script that completes commands in a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', LOADING)
    .action((shell: (typeof SHELLS)[number], _options, command: Command) => {
      const script = COMPLETION_SCRIPTS[shell]
      printResult(context, flagsOf(command), { schema_version: 1, shell, script }, script)
    })
  addCompleteCommand(program, context)
}
