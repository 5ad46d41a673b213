import type { Command } from 'commander'
import { AuthError } from '../errors.ts'
import { baseUrl } from '../core/base-url.ts'
import { renderProvider } from '../core/codex-configuration.ts'
import { codexProvider, type CodexProvider } from '../core/codex-provider.ts'
import { present } from '../core/refresh.ts'
import { isSafeAddress } from '../core/safe-address.ts'
import { setUpCodex, undoCodex, type CodexChange } from '../core/set-up-codex.ts'
import type { CodexSetup, Context, GlobalFlags, Session } from './context.ts'
import { flagsOf } from './options.ts'
import { printResult, say, warn } from './output.ts'

interface SetupFlags extends GlobalFlags {
  readonly baseUrl?: string
  readonly print?: boolean
  readonly undo?: boolean
}

/** `codex-auth setup`: makes other programs ask this one for their token. */
export function addSetupCommand(program: Command, context: Context): void {
  const setup = program.command('setup').description('Make another program fetch its token from this one')
  setup
    .command('codex')
    .description('Make the Codex CLI fetch it here, by its config.toml, where all else stays as it is')
    .option('--base-url <url>', "where the token is accepted, instead of OpenAI's address")
    .option('--print', 'print what would be put in, and change nothing')
    .option('--undo', 'take it out again, and put back what was there before')
    .action(async (_options, command: Command) => {
      const flags = flagsOf<SetupFlags>(command)
      const codex = await context.codexSetup()
      if (flags.undo) undo(context, flags, codex)
      else await setUp(context, flags, codex)
    })
}

function undo(context: Context, flags: SetupFlags, codex: CodexSetup): void {
  if (flags.print || flags.baseUrl !== undefined) {
    throw new AuthError('usage', '--undo goes with neither --print nor --base-url.', {
      nextStep: 'codex-auth setup codex --undo',
    })
  }
  const change = undoCodex(codex)
  if (!change.changed)
    say(context, flags, `There is nothing of ours in ${change.path}; it has not been changed.`)
  const text =
    change.file === 'removed'
      ? `Removed ${change.path}, which had been made by us.\n`
      : `Changed ${change.path}:\n  [model_providers.codex-auth] is out${choice(change)}\n`
  printResult(context, flags, changeJson(change), change.changed ? text : '')
}

async function setUp(context: Context, flags: SetupFlags, codex: CodexSetup): Promise<void> {
  const session = await context.session(flags)
  const provider = providerOf(flags, session, codex)
  if (flags.print) {
    const toml = renderProvider(codexProvider(provider))
    return printResult(context, flags, { schema_version: 1, path: codex.configuration.path, toml }, toml)
  }
  const change = setUpCodex(provider, codex)
  const call = [codex.command.path, ...codex.command.words, 'token'].join(' ')
  const text = `Changed ${change.path}:\n  [model_providers.codex-auth] runs ${call}${choice(change)}\n`
  const json = { ...changeJson(change), ...providerJson(provider) }
  if (!change.changed) say(context, flags, `${change.path} is set up already; it has not been changed.`)
  printResult(context, flags, json, change.changed ? text : '')
  warnings(context, provider, change, codex).forEach((warning) => warn(context, warning))
}

function providerOf({ baseUrl: named }: SetupFlags, session: Session, codex: CodexSetup): CodexProvider {
  const { profile, environment, store, settings } = session
  if (named !== undefined && !isSafeAddress(named)) {
    throw new AuthError('usage', 'The base address is no address that a token may be sent to.', {
      nextStep:
        'write it as in --base-url https://api.example.com/v1 (http only for 127.0.0.1, [::1] and localhost)',
    })
  }
  const { credential } = environment ? { credential: environment } : present(store.read(profile), profile)
  const isFedRamp = codex.isFedRamp(credential)
  const url = named ?? baseUrl(credential, settings)
  return { credential, profile, command: codex.command, baseUrl: url, isFedRamp }
}

function choice({ providerBefore, providerAfter }: CodexChange): string {
  if (providerBefore === providerAfter) return ''
  const was = providerBefore === undefined ? 'not set before' : `before: ${JSON.stringify(providerBefore)}`
  return providerAfter === undefined
    ? '\n  model_provider is out'
    : `\n  model_provider = ${JSON.stringify(providerAfter)} (${was})`
}

function changeJson(change: CodexChange) {
  return {
    schema_version: 1,
    path: change.path,
    changed: change.changed,
    file: change.file,
    model_provider: change.providerAfter ?? null,
    model_provider_before: change.providerBefore ?? null,
  }
}

function providerJson(provider: CodexProvider) {
  const { base_url: url, auth } = codexProvider(provider) as {
    readonly base_url: string
    readonly auth: { readonly command: string; readonly args: readonly string[] }
  }
  const { profile, credential } = provider
  const account = credential.account.id ?? null
  return { profile, account_id: account, base_url: url, command: auth.command, args: auth.args }
}

function warnings(
  context: Context,
  provider: CodexProvider,
  change: CodexChange,
  codex: CodexSetup,
): string[] {
  const { credential } = provider
  const [home, token] = [context.env['CODEX_AUTH_HOME'], context.env['CODEX_AUTH_TOKEN']]
  const nameless = credential.method === 'chatgpt' && credential.account.id === undefined
  return [
    ...(home ? [`Codex finds this login only when it is started with CODEX_AUTH_HOME=${home} as well.`] : []),
    ...(token ? ['CODEX_AUTH_TOKEN is set and wins over the login wherever Codex is started with it.'] : []),
    ...(codex.isTemporary
      ? [
          'this copy of codex-auth is for one call only; install it (npm install -g codex-auth) and set up again.',
        ]
      : []),
    ...(nameless
      ? ['the login does not name its account, which OpenAI wants to be told; sign in again.']
      : []),
    ...change.overriding.map(
      (name) => `the Codex profile "${name}" names another model_provider, which wins.`,
    ),
  ]
}
