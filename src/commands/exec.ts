import type { Command } from 'commander'
import { accessToken } from '../core/access-token.ts'
import { commandEnvironment } from '../core/command-environment.ts'
import { issuedToken } from '../core/issued-token.ts'
import { TOKEN_VARIABLE } from '../core/token-variables.ts'
import { AuthError } from '../errors.ts'
import type { Context, GlobalFlags } from './context.ts'
import { flagsOf, minTtlOption } from './options.ts'
import { waitNotice, warn } from './output.ts'
import { variableOption } from './token-format.ts'

interface ExecFlags extends GlobalFlags {
  readonly minTtl?: number
  readonly env?: string
}

const NOTES = `
The command also finds OPENAI_BASE_URL, CODEX_AUTH_ACCOUNT_ID and CODEX_AUTH_EXPIRES_AT, where they are known.
Signals are passed on to it, and its exit code becomes ours.

Examples:
  codex-auth exec -- node script.mjs
  codex-auth exec --env MY_TOKEN -- sh -c 'curl -H "Authorization: Bearer $MY_TOKEN" https://…'`

/**
 * `codex-auth exec`: runs a command with an access token in its environment.
 * @param words the command with its arguments, parted from ours before any flag was read.
 */
export function addExecCommand(program: Command, context: Context, words: readonly string[]): void {
  program
    .command('exec')
    .usage('[options] -- <command> [arguments...]')
    // For Tab and the manual page: here, the words are parted already.
    .argument('[command...]')
    .description('Run a command with an access token in its environment')
    .addOption(variableOption('the variable for the token'))
    .addOption(
      minTtlOption('refresh when it lives shorter than this, and run nothing, with 3, if it still does'),
    )
    .addHelpText('after', NOTES)
    .action(async (_words, _options, command: Command) => {
      const [file, ...args] = words
      if (file === undefined) throw new AuthError('usage', 'There is no command to run.', HELP)
      const flags = flagsOf<ExecFlags>(command)
      const env = await environment(flags, context)
      // What came before this was obeyed by not starting it; what comes after it is passed on.
      context.interruption.throwIfAborted()
      context.endAs(await context.runCommand({ file, args, env }))
    })
}

const HELP = { nextStep: 'codex-auth exec --help' }

async function environment(flags: ExecFlags, context: Context): Promise<Context['env']> {
  const session = await context.session(flags)
  const { stored, short } = await accessToken(
    {
      profile: session.profile,
      minTtl: flags.minTtl,
      mayRefresh: true,
      warn: (text) => warn(context, text),
      ...waitNotice(context, flags),
    },
    session,
  )
  if (short) {
    throw new AuthError(
      'short_lived',
      'The access token lives shorter than --min-ttl asked; nothing was run.',
      {
        nextStep: 'ask for less with --min-ttl, or leave it out',
      },
    )
  }
  const token = issuedToken(stored.credential, session, context.now())
  return commandEnvironment(token, flags.env ?? TOKEN_VARIABLE, context.env)
}
