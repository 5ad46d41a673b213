import { isIP } from 'node:net'
import { Option, type Command } from 'commander'
import { AuthError } from '../errors.ts'
import { parseDuration } from '../core/duration.ts'
import type { ProviderName } from '../core/credential.ts'
import type { ProviderFlags } from '../core/provider-choice.ts'
import type { GlobalFlags } from './context.ts'
import { collect } from './options.ts'

export interface LoginFlags extends GlobalFlags, ProviderFlags {
  /** `undefined`: neither `--browser` nor `--no-browser`. */
  readonly browser?: boolean
  readonly deviceCode?: boolean
  readonly withApiKey?: boolean
  readonly withAccessToken?: boolean
  readonly withMintedApiKey?: boolean
  readonly port?: readonly number[]
  readonly listen?: string
  readonly redirectHost?: 'localhost' | '127.0.0.1'
  readonly timeout?: number
  readonly workspace?: string
  readonly expectAccount?: string
  readonly ifNeeded?: boolean
  readonly force?: boolean
  readonly events?: boolean
  readonly cancelOnEof?: boolean
}

const EXAMPLES = `
Examples:
  codex-auth login
  codex-auth login --device-code
  printenv OPENAI_API_KEY | codex-auth login --with-api-key
  codex-auth login --provider oidc --issuer https://login.example.com --client-id my-app`

export function declareLogin(program: Command): Command {
  const command = program.command('login').description('Sign in and save the credential in the profile')
  for (const option of options()) command.addOption(option)
  return command.addHelpText('after', EXAMPLES)
}

/** In the order in which a person would ask: how, where, whose, and the rest. */
function options(): Option[] {
  return [
    ...ways(),
    new Option('--provider <name>', 'OpenAI, or any OpenID provider (default: openai)').choices([
      'openai',
      'oidc',
    ]),
    new Option('--issuer <url>', "the provider's address; oidc needs it"),
    new Option('--client-id <id>', 'the client registered at the provider; oidc needs it'),
    new Option('--scope <scope>', 'ask for this scope instead of the default ones (repeatable)').argParser(
      collect(String),
    ),
    new Option('--workspace <id>', 'accept only this ChatGPT workspace').argParser(oneName),
    new Option('--expect-account <email-or-id>', 'accept only this account').argParser(oneName),
    new Option('--force', "replace a different account's login without asking"),
    new Option('--if-needed', 'do nothing when a usable login is there'),
    new Option(
      '--timeout <duration>',
      'give up after this time (default: 5m, or as long as a device code lasts)',
    ).argParser(parseDuration),
    new Option('--events', 'print each step as one JSON object per line, for a program that drives this'),
    new Option('--cancel-on-eof', 'end the sign-in when standard input ends').conflicts(SECRETS),
    new Option(
      '--port <n>',
      'port for the redirect, tried in order (repeatable; 0 is any free one)',
    ).argParser(collect(parsePort)),
    new Option(
      '--listen <address>',
      'listen on this address too, for a port mapped from elsewhere',
    ).argParser(parseAddress),
    new Option('--redirect-host <host>', 'host in the redirect address (default: localhost)').choices([
      'localhost',
      '127.0.0.1',
    ]),
  ]
}

function ways(): Option[] {
  return [
    new Option('--browser', 'open a browser even where there is no terminal'),
    new Option('--no-browser', 'only print the address'),
    alone('--device-code', 'finish on another device, with a code'),
    alone('--with-api-key', 'save the API key that standard input brings'),
    alone('--with-access-token', 'save the access token that standard input brings'),
    new Option('--with-minted-api-key', 'get an API key with the login, and store it, too').conflicts([
      'withApiKey',
      'withAccessToken',
    ]),
  ]
}

/** They come from standard input, which ends with them. */
const SECRETS = ['withApiKey', 'withAccessToken']
const WAYS = ['deviceCode', ...SECRETS]

/** There is one way to sign in at a time. */
function alone(flag: string, description: string): Option {
  const option = new Option(flag, description)
  return option.conflicts(WAYS.filter((name) => name !== option.attributeName()))
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new AuthError('usage', `${JSON.stringify(text.slice(0, 40))} is not a port.`, {
    nextStep: 'write a number up to 65535, and the flag once for each: --port 1455 --port 1457',
  })
}

/** An empty one, as from a variable that is not set, would let a person sign in and then refuse whoever it is; so would a list. */
function oneName(text: string): string {
  if (/^[^\s,]+$/.test(text)) return text
  throw new AuthError('usage', `${JSON.stringify(text.slice(0, 60))} names no account or workspace.`, {
    nextStep: 'write one id, or one address: --expect-account alice@example.com',
  })
}

function parseAddress(text: string): string {
  if (isIP(text) !== 0) return text
  throw new AuthError('usage', `${JSON.stringify(text.slice(0, 60))} is not an address to listen on.`, {
    nextStep: 'write an IP address of this machine, or 0.0.0.0 for all: --listen 0.0.0.0',
  })
}

/** A rule that this way to sign in could never meet is better known before anybody signs in. @throws {AuthError} `usage`. */
export function refuseIdleRules(flags: LoginFlags, provider: ProviderName): void {
  const { withApiKey, withAccessToken, workspace, expectAccount } = flags
  if ((withApiKey || withAccessToken) && flags.provider === 'oidc') {
    throw new AuthError('usage', "A key or token given by hand is OpenAI's, and no OpenID provider's.", {
      nextStep: 'leave out --provider, or sign in: codex-auth login --provider oidc',
    })
  }
  if (withApiKey && (workspace ?? expectAccount) !== undefined) {
    throw new AuthError(
      'usage',
      'An API key does not say whose it is, so no account can be expected of it.',
      {
        nextStep: 'leave out --workspace and --expect-account',
      },
    )
  }
  if (workspace !== undefined && provider !== 'openai' && !withAccessToken) {
    throw new AuthError('usage', "Workspaces are ChatGPT's, and an OpenID provider has none.", {
      nextStep: 'leave out --workspace, or name the account: --expect-account <email-or-id>',
    })
  }
}
