import { Option, type Command } from 'commander'
import { execCredential, requestedApiVersion } from '../core/exec-credential.ts'
import type { IssuedToken } from '../core/issued-token.ts'
import { assignments, SHELLS, type Shell } from '../core/shell-syntax.ts'
import { timestamp } from '../core/timestamp.ts'
import { parseVariableName, TOKEN_VARIABLE, tokenVariables } from '../core/token-variables.ts'
import { AuthError } from '../errors.ts'
import type { Context, GlobalFlags } from './context.ts'
import { jsonText } from './output.ts'

const FORMATS = ['raw', 'json', 'header', 'env', 'exec-credential'] as const

type Format = (typeof FORMATS)[number]

export interface FormatFlags {
  readonly format?: Format
  readonly env?: string
  readonly shell?: Shell
}

/** Text for standard output, the last newline included. */
export type Rendering = (token: IssuedToken) => string

/** Adds `--format` and what goes with it. `--format json` is `--json` from the moment it is read: failures are objects, too. */
export function addFormatOptions(command: Command, program: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'the shape to print it in (without it: raw)').choices(FORMATS))
    .addOption(variableOption('with --format env: the variable for the token'))
    .addOption(
      new Option('--shell <shell>', 'with --format env: whose syntax (without it: sh)').choices(SHELLS),
    )
    .on('option:format', (format: string) => {
      if (format === 'json') program.setOptionValue('json', true)
    })
}

export function variableOption(description: string): Option {
  return new Option('--env <NAME>', `${description} (without it: ${TOKEN_VARIABLE})`).argParser(
    parseVariableName,
  )
}

/**
 * How to print a token, settled before there is one.
 * @throws {AuthError} `usage` for flags that contradict each other, or a client of Kubernetes that asks for what we do not know.
 */
export function rendering(flags: FormatFlags & GlobalFlags, context: Context): Rendering {
  const format = flags.format ?? (flags.json ? 'json' : 'raw')
  refuseContradictions(flags, format)
  return RENDERINGS[format](flags, context)
}

const RENDERINGS: Record<Format, (flags: FormatFlags, context: Context) => Rendering> = {
  raw: () => (token) => `${token.accessToken}\n`,
  json: (_, context) => (token) => jsonText(context, tokenJson(token)),
  // RFC 6750, section 2.1
  header: () => (token) => `Authorization: Bearer ${token.accessToken}\n`,
  env: ({ env = TOKEN_VARIABLE, shell = 'sh' }, context) => {
    return (token) => assignments(tokenVariables(token, env, context.env), shell)
  },
  'exec-credential': (_, context) => {
    const apiVersion = requestedApiVersion(context.env['KUBERNETES_EXEC_INFO'])
    return (token) => jsonText(context, execCredential(token, apiVersion))
  },
}

function refuseContradictions({ json, env, shell }: FormatFlags & GlobalFlags, format: Format): void {
  if (json && format !== 'json') {
    throw new AuthError('usage', `--json and --format ${format} contradict each other.`, {
      nextStep: 'leave one of them out',
    })
  }
  if (format === 'env' || (env === undefined && shell === undefined)) return
  throw new AuthError('usage', `${env === undefined ? '--shell' : '--env'} only goes with --format env.`, {
    nextStep: 'codex-auth token --help',
  })
}

function tokenJson(token: IssuedToken): object {
  return {
    schema_version: 1,
    access_token: token.accessToken,
    token_type: token.tokenType,
    expires_at: timestamp(token.expiresAt),
    expires_in: token.expiresIn ?? null,
    account_id: token.accountId ?? null,
    base_url: token.baseUrl ?? null,
    profile: token.profile,
  }
}
