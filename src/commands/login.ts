import { Option, type Command } from 'commander'
import { AuthError } from '../errors.ts'
import { attemptRead } from '../core/attempt-read.ts'
import { formatDuration, parseDuration } from '../core/duration.ts'
import { logIn, type LoggedIn, type LogInRequest } from '../core/log-in.ts'
import { chooseProvider, type ProviderFlags } from '../core/provider-choice.ts'
import { status, type Status } from '../core/status.ts'
import type { Context, GlobalFlags, Session } from './context.ts'
import { collect, flagsOf } from './options.ts'
import { printResult, say, warn } from './output.ts'
import { holderName, statusExitCode, statusJson } from './status-report.ts'

interface LoginFlags extends GlobalFlags, ProviderFlags {
  /** `undefined`: neither `--browser` nor `--no-browser`. */
  readonly browser?: boolean
  readonly port?: readonly number[]
  readonly redirectHost?: 'localhost' | '127.0.0.1'
  readonly timeout: number
  readonly ifNeeded?: boolean
}

const OPENAI_PORTS = [1455, 1457]

/** `codex-auth login`: authorization code with PKCE through a temporary server on this machine. */
export function addLoginCommand(program: Command, context: Context): void {
  declare(program).action(async (_options, command: Command) => {
    const flags = flagsOf<LoginFlags>(command)
    const session = await context.session(flags)
    if (flags.ifNeeded) {
      const found = status(session.profile, undefined, session)
      if (statusExitCode(found) === 0) return report(context, flags, found, 'Signed in already')
    }
    if (!flags.input || (!context.isTerminal && flags.browser === undefined)) throw needsPerson(flags)
    const loggedIn = await logIn(requestOf(context, flags, session), session)
    const stored = { ...session, environment: undefined }
    report(context, flags, status(session.profile, undefined, stored), 'Signed in')
    if (session.environment) warn(context, 'CODEX_AUTH_TOKEN is set and wins over this login.')
    tellPrevious(context, loggedIn)
  })
}

function declare(program: Command): Command {
  return program
    .command('login')
    .description('Sign in and save the credential in the profile')
    .option('--browser', 'open a browser even where there is no terminal')
    .option('--no-browser', 'only print the address')
    .addOption(
      new Option('--provider <name>', 'OpenAI, or any OpenID provider (default: openai)').choices([
        'openai',
        'oidc',
      ]),
    )
    .option('--issuer <url>', "the provider's address; oidc needs it")
    .option('--client-id <id>', 'the client registered at the provider; oidc needs it')
    .option('--scope <scope>', 'ask for this scope instead of the default ones (repeatable)', collect(String))
    .option(
      '--port <n>',
      'port for the redirect, tried in order (repeatable; 0 is any free one)',
      collect(parsePort),
    )
    .addOption(
      new Option('--redirect-host <host>', 'host in the redirect address (default: localhost)').choices([
        'localhost',
        '127.0.0.1',
      ]),
    )
    .addOption(
      new Option('--timeout <duration>', 'give up after this time')
        .argParser(parseDuration)
        .default(300, '5m'),
    )
    .option('--if-needed', 'do nothing when a usable login is there')
    .addHelpText(
      'after',
      '\nExamples:\n  codex-auth login\n  codex-auth login --provider oidc --issuer https://login.example.com --client-id my-app',
    )
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new AuthError('usage', `${JSON.stringify(text.slice(0, 40))} is not a port.`, {
    nextStep: 'write a number up to 65535, and the flag once for each: --port 1455 --port 1457',
  })
}

function needsPerson({ input }: LoginFlags): AuthError {
  if (input) {
    return new AuthError('interaction_required', 'Signing in needs a person, and there is no terminal here.')
  }
  return new AuthError(
    'interaction_required',
    'Signing in needs a person, and --no-input forbids to ask one.',
    {
      nextStep: 'leave out --no-input, or put a token into CODEX_AUTH_TOKEN',
    },
  )
}

function requestOf(context: Context, flags: LoginFlags, session: Session): LogInRequest {
  const { profile, settings, store } = session
  const stored = attemptRead(() => store.read(profile))
  const known = stored instanceof AuthError ? undefined : stored?.credential
  const provider = chooseProvider(flags, settings, known)
  const openBrowser = flags.browser ?? settings.browser !== 'none'
  return {
    profile,
    provider,
    ports: flags.port ?? settings.ports ?? (provider.name === 'openai' ? OPENAI_PORTS : [0]),
    redirectHost: flags.redirectHost ?? settings.redirect_host ?? 'localhost',
    openBrowser,
    timeout: flags.timeout,
    onAddress: (url) => tellAddress(context, flags, url, openBrowser),
    onNoBrowser: () => warn(context, 'no browser could be started; open the address above yourself.'),
  }
}

/** The address is what the whole command is about: `--quiet` does not hide it, and nothing shares its line. */
function tellAddress(context: Context, flags: LoginFlags, url: string, openBrowser: boolean): void {
  say(
    context,
    flags,
    openBrowser
      ? 'Opening your browser to sign in. The address, in case it does not show:'
      : 'Sign in at this address:',
  )
  context.stderr(`\n${url}\n\n`)
  say(
    context,
    flags,
    `Waiting up to ${formatDuration(flags.timeout)} for the sign-in. Ctrl-C ends it and changes nothing.`,
  )
}

function report(context: Context, flags: LoginFlags, found: Status, text: string): void {
  const { credential, profile, source } = found
  const where = source === 'environment' ? 'by CODEX_AUTH_TOKEN' : `profile "${profile}"`
  say(context, flags, `${text} as ${credential ? holderName(credential) : 'nobody'}, ${where}.`)
  printResult(context, flags, statusJson(found), '')
}

function tellPrevious(context: Context, { previous }: LoggedIn): void {
  if (previous?.kind !== 'unconfirmed') return
  warn(
    context,
    `the login before this one is gone here, but its revocation was not confirmed: ${previous.error.message}`,
  )
}
