import type { Command } from 'commander'
import { accessToken, type AccessTokenResult } from '../core/access-token.ts'
import { baseUrl } from '../core/base-url.ts'
import { formatDuration } from '../core/duration.ts'
import { EXIT_CODES } from '../core/exit-code.ts'
import { remaining } from '../core/lifetime.ts'
import type { Context } from './context.ts'
import { flagsOf, minTtlOption } from './options.ts'
import { printResult, timestamp, waitNotice, warn } from './output.ts'

interface TokenFlags {
  readonly minTtl?: number
  readonly refresh: boolean
}

/** `codex-auth token`: a usable access token on stdout, and nothing else there, ever. */
export function addTokenCommand(program: Command, context: Context): void {
  program
    .command('token')
    .description('Print an access token, refreshing it first if it is about to expire')
    .addOption(
      minTtlOption(
        'refresh when it lives shorter than this, and end with 3 if it still does (without it: 5m)',
      ),
    )
    .option('--no-refresh', 'never contact the provider')
    .addHelpText('after', '\nExample:\n  curl -H "Authorization: Bearer $(codex-auth token)" https://…')
    .action(async (_options, command: Command) => {
      const flags = flagsOf<TokenFlags>(command)
      const session = await context.session(flags)
      const result = await accessToken(
        {
          profile: session.profile,
          minTtl: flags.minTtl,
          mayRefresh: flags.refresh,
          warn: (text) => warn(context, text),
          ...waitNotice(context, flags),
        },
        session,
      )
      const json = tokenJson(result, session.profile, context.now())
      printResult(context, flags, json, `${result.stored.credential.accessToken}\n`)
      if (!result.short) return
      warn(
        context,
        `the access token lives ${formatDuration(json.expires_in ?? 0)}, shorter than --min-ttl asked.`,
      )
      context.endWith(EXIT_CODES.short_lived)
    })
}

function tokenJson({ stored: { credential } }: AccessTokenResult, profile: string, now: number) {
  const left = remaining(credential, now)
  return {
    schema_version: 1,
    access_token: credential.accessToken,
    token_type: credential.tokenType,
    expires_at: timestamp(credential.expiresAt),
    expires_in: left === undefined ? null : Math.floor(left),
    account_id: credential.account.id ?? null,
    base_url: baseUrl(credential) ?? null,
    profile,
  }
}
