import type { Command } from 'commander'
import { AuthError } from '../errors.ts'
import { attemptRead } from '../core/attempt-read.ts'
import { holderName } from '../core/holder.ts'
import { logIn } from '../core/log-in.ts'
import { BROWSER_TIMEOUT, opensBrowser, redirectPorts } from '../core/log-in-defaults.ts'
import { logInByDevice } from '../core/log-in-device.ts'
import { logInWithSecret } from '../core/log-in-secret.ts'
import { chooseProvider } from '../core/provider-choice.ts'
import type { ProviderChoice } from '../core/ports.ts'
import { accountFault, type AccountRules, type LoggedIn } from '../core/save-login.ts'
import { isLoopback } from '../core/safe-address.ts'
import { status, type Status } from '../core/status.ts'
import { withinTime } from '../core/time-limit.ts'
import type { Context, Session } from './context.ts'
import { checkKeyProvider, mintAfterLogin } from './login-api-key.ts'
import { conversation, deviceConversation } from './login-conversation.ts'
import { endingWithInput, watchingInput } from './login-end-of-input.ts'
import { withAddressEvents, withCodeEvents } from './login-events.ts'
import { declareLogin, refuseIdleRules, type LoginFlags } from './login-flags.ts'
import { report, tellPrevious } from './login-report.ts'
import { hasMintedKey, warnOfLivingKey } from './minted-key.ts'
import { flagsOf } from './options.ts'
import { warn, wrapped } from './output.ts'
import { statusExitCode } from './status-report.ts'

/** `codex-auth login`: a browser here, a browser elsewhere, or a secret given by hand. */
export function addLoginCommand(program: Command, context: Context): void {
  declareLogin(program).action(async (_options, command: Command) => {
    const flags = flagsOf<LoginFlags>(command)
    const opened = await context.session(flags)
    const session = flags.cancelOnEof ? endingWithInput(opened) : opened
    refuseIdleRules(flags, providerOf(flags, session).name)
    const accounts = accountRules(context, flags, session)
    if (flags.ifNeeded) {
      const found = status(session.profile, undefined, session)
      if (isEnough(found, accounts)) {
        await mintAfterLogin(context, flags, session)
        return report(context, flags, status(session.profile, undefined, session), 'Signed in already')
      }
    }
    const hadKey = hasMintedKey(session)
    const loggedIn = await signIn(context, flags, session, accounts)
    await mintAfterLogin(context, flags, session)
    const stored = { ...session, environment: undefined }
    report(context, flags, status(session.profile, undefined, stored), 'Signed in')
    if (session.environment) warn(context, 'CODEX_AUTH_TOKEN is set and wins over this login.')
    tellPrevious(context, loggedIn)
    if (hadKey) warnOfLivingKey(context)
  })
}

/** A login that works, of an account that was asked for. */
function isEnough(found: Status, accounts: AccountRules): boolean {
  const { credential } = found
  return (
    statusExitCode(found) === 0 && credential !== undefined && !accountFault(credential.account, accounts)
  )
}

function signIn(
  context: Context,
  flags: LoginFlags,
  session: Session,
  accounts: AccountRules,
): Promise<LoggedIn> {
  if (flags.withApiKey) return withSecret('api_key', flags, session, accounts)
  if (flags.withAccessToken) return withSecret('access_token', flags, session, accounts)
  if (!flags.input) throw forbidden()
  if (flags.deviceCode) return byDevice(context, flags, session, accounts)
  if (!context.isTerminal && flags.browser === undefined) throw needsPerson()
  return inBrowser(context, flags, session, accounts)
}

async function inBrowser(
  context: Context,
  flags: LoginFlags,
  session: Session,
  accounts: AccountRules,
): Promise<LoggedIn> {
  const { profile, settings } = session
  const provider = providerOf(flags, session)
  const where = await context.whereabouts()
  const openBrowser = flags.browser ?? opensBrowser(settings, where)
  const asks = mayAsk(context, session)
  return logIn(
    {
      profile,
      provider,
      accounts,
      openBrowser,
      asks,
      ports: flags.port ?? redirectPorts(settings, provider.name),
      redirectHost: flags.redirectHost ?? settings.redirect_host ?? 'localhost',
      listen: listenAddress(context, flags),
      timeout: flags.timeout ?? BROWSER_TIMEOUT,
      ...withAddressEvents(context, flags, conversation(context, flags, where, { openBrowser, asks })),
    },
    session,
  )
}

function listenAddress(context: Context, { listen }: LoginFlags): string | undefined {
  if (listen !== undefined && listen !== '::1' && !isLoopback(listen))
    warn(
      context,
      `listening on ${listen}: other machines can reach the sign-in, and are told nothing without its state.`,
    )
  return listen
}

async function byDevice(
  context: Context,
  flags: LoginFlags,
  session: Session,
  accounts: AccountRules,
): Promise<LoggedIn> {
  const provider = providerOf(flags, session)
  const { done, ...talk } = deviceConversation(context, flags, provider.name)
  const mayReplace: AccountRules['mayReplace'] = (...each) => {
    done()
    return accounts.mayReplace(...each)
  }
  try {
    const request = {
      profile: session.profile,
      provider,
      accounts: { ...accounts, mayReplace },
      timeout: flags.timeout ?? Infinity,
      ...withCodeEvents(context, flags, talk),
    }
    return await watchingInput(flags.cancelOnEof ? session.input : undefined, () =>
      logInByDevice(request, session),
    )
  } finally {
    done()
  }
}

async function withSecret(
  method: 'api_key' | 'access_token',
  flags: LoginFlags,
  session: Session,
  accounts: AccountRules,
): Promise<LoggedIn> {
  const prompt = method === 'api_key' ? 'API key (not shown): ' : 'Access token (not shown): '
  if (session.input?.isTerminal && !flags.input) throw forbidden()
  const read = async (signal: AbortSignal) => (await session.input?.secret(prompt, signal)) ?? ''
  const secret = await withinTime(flags.timeout ?? Infinity, NO_SECRET, session.interruption, read)
  return logInWithSecret(
    { profile: session.profile, method, secret, accounts, factsOf: session.factsOf },
    session,
  )
}

function providerOf(flags: LoginFlags, { profile, settings, store }: Session): ProviderChoice {
  const stored = attemptRead(() => store.read(profile))
  const choice = chooseProvider(flags, settings, stored instanceof AuthError ? undefined : stored?.credential)
  checkKeyProvider(flags, choice)
  return choice
}

/** Only someone who sees a question can answer it, and only someone at a terminal does. */
function mayAsk({ isTerminal }: Context, { input }: Session): boolean {
  return isTerminal && input?.isTerminal === true
}

function accountRules(context: Context, flags: LoginFlags, session: Session): AccountRules {
  const { input, profile } = session
  return {
    workspaces: flags.workspace === undefined ? [] : [flags.workspace],
    expected: flags.expectAccount,
    mayReplace: async (before, after, signal) => {
      if (flags.force) return true
      if (input === undefined || !mayAsk(context, session)) return false
      const question = `The profile "${profile}" holds a login of ${holderName(before)}. Replace it by ${holderName(after)}? [y/N] `
      const answer = await withinTime(flags.timeout ?? BROWSER_TIMEOUT, NO_ANSWER, signal, (either) =>
        input.ask(wrapped(question, context), either),
      )
      return /^\s*y(es)?\s*$/i.test(answer)
    },
  }
}

const NO_ANSWER = late('Nobody said in time whether to replace the login. Nothing was changed.')
const NO_SECRET = late('Nothing came on standard input in time.')

function late(message: string): () => AuthError {
  return () => new AuthError('login_timeout', message)
}

function needsPerson(): AuthError {
  return new AuthError('interaction_required', 'Signing in needs a person, and there is no terminal here.')
}

function forbidden(): AuthError {
  return new AuthError(
    'interaction_required',
    'Signing in needs a person, and --no-input forbids to ask one.',
    {
      nextStep: 'leave out --no-input, or put a token into CODEX_AUTH_TOKEN',
    },
  )
}
