import { Option, type Command } from 'commander'
import { AuthError } from '../errors.ts'
import { accessToken, type AccessTokenRequest, type AccessTokenResult } from '../core/access-token.ts'
import { accessTokenInTime } from '../core/access-token-in-time.ts'
import { apiKey } from '../core/api-key.ts'
import { formatDuration, parseDuration } from '../core/duration.ts'
import { EXIT_CODES } from '../core/exit-code.ts'
import { issuedToken } from '../core/issued-token.ts'
import type { Context, Session } from './context.ts'
import { flagsOf, minTtlOption } from './options.ts'
import { waitNotice, warn } from './output.ts'
import { addFormatOptions, rendering, type FormatFlags } from './token-format.ts'

interface TokenFlags extends FormatFlags {
  readonly minTtl?: number
  readonly refresh: boolean
  readonly kind: 'access-token' | 'api-key'
  readonly timeout?: number
}

const EXAMPLES = `
Examples:
  curl -H "Authorization: Bearer $(codex-auth token)" https://…
  curl -H "$(codex-auth token --format header)" https://…
  eval "$(codex-auth token --format env)"
  codex-auth token --format env --shell fish | source`

/** `codex-auth token`: a usable access token on stdout, and nothing else there, ever. */
export function addTokenCommand(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('Print an access token, refreshing it first if it is about to expire')
    .addOption(
      minTtlOption(
        'refresh when it lives shorter than this, and end with 3 if it still does (without it: 5m)',
      ),
    )
    .option('--no-refresh', 'never contact the provider')
    .addOption(kindOption())
    .option(
      '--timeout <duration>',
      'answer within this time; a refresh that takes longer goes on by itself',
      parseDuration,
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options, command: Command) => {
      const flags = flagsOf<TokenFlags>(command)
      const render = rendering(flags, context)
      const session = await context.session(flags)
      const request = {
        profile: session.profile,
        minTtl: flags.minTtl,
        mayRefresh: flags.refresh,
        warn: (text: string) => warn(context, text),
        ...waitNotice(context, flags),
      }
      const result = await answer(request, flags, context, session)
      const issued = issuedToken(result.stored.credential, session, context.now())
      context.stdout(render(issued))
      if (!result.short) return
      warn(
        context,
        `the access token lives ${formatDuration(issued.expiresIn ?? 0)}, shorter than --min-ttl asked.`,
      )
      context.endWith(EXIT_CODES.short_lived)
    })
  addFormatOptions(token, program)
}

function kindOption(): Option {
  return new Option('--kind <kind>', 'what to print; the API key of an OpenAI login is asked for once')
    .choices(['access-token', 'api-key'])
    .default('access-token')
}

/** What the start of this process took counts: the caller's clock began before ours. */
function answer(
  request: AccessTokenRequest,
  { kind, timeout }: TokenFlags,
  context: Context,
  session: Session,
): Promise<AccessTokenResult> {
  if (kind === 'api-key') {
    if (timeout === undefined) return apiKey(request, session)
    throw new AuthError(
      'usage',
      '--timeout goes with access tokens: only their renewal can go on by itself.',
      {
        nextStep: 'leave out --timeout, or --kind api-key',
      },
    )
  }
  if (timeout === undefined) return accessToken(request, session)
  return accessTokenInTime({ ...request, within: timeout - context.elapsed() }, session)
}
