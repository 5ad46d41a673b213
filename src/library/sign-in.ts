import { AuthError } from '../errors.ts'
import type { Context, Session } from '../commands/context.ts'
import { attemptRead } from '../core/attempt-read.ts'
import { logInByDevice } from '../core/log-in-device.ts'
import { BROWSER_TIMEOUT, opensBrowser, redirectPorts } from '../core/log-in-defaults.ts'
import { logIn } from '../core/log-in.ts'
import type { ProviderChoice } from '../core/ports.ts'
import { chooseProvider } from '../core/provider-choice.ts'
import type { AccountRules, LoggedIn } from '../core/save-login.ts'
import type { LoginOptions } from './login.ts'

/** @throws {AuthError} as `login`. */
export function signIn(options: LoginOptions, context: Context, session: Session): Promise<LoggedIn> {
  return options.method === 'device_code' ? byDevice(options, session) : inBrowser(options, context, session)
}

async function inBrowser(options: LoginOptions, context: Context, session: Session): Promise<LoggedIn> {
  const { profile, settings } = session
  const { onAddress, onWarning } = options
  const openBrowser = options.openBrowser ?? opensBrowser(settings, await context.whereabouts())
  if (!openBrowser && onAddress === undefined) throw nobodyTold('onAddress')
  const provider = providerOf(options, session)
  return logIn(
    {
      profile,
      provider,
      openBrowser,
      accounts: accountRules(options),
      asks: false,
      ports: options.ports ?? redirectPorts(settings, provider.name),
      redirectHost: settings.redirect_host ?? 'localhost',
      listen: undefined,
      timeout: options.timeout ?? BROWSER_TIMEOUT,
      onAddress: (url) => onAddress?.(url),
      onNoBrowser: () => onWarning?.('No browser could be started.'),
      onNoListener: ({ message }) => onWarning?.(message),
      onPasted: () => undefined,
    },
    session,
  )
}

async function byDevice(options: LoginOptions, session: Session): Promise<LoggedIn> {
  const { onCode } = options
  if (onCode === undefined) throw nobodyTold('onCode')
  return logInByDevice(
    {
      profile: session.profile,
      provider: providerOf(options, session),
      accounts: accountRules(options),
      timeout: options.timeout ?? Infinity,
      onCode: ({ verificationUrl, verificationUrlComplete, userCode, expiresAt }) =>
        onCode({ verificationUrl, verificationUrlComplete, userCode, expiresAt }),
      onWait: () => undefined,
    },
    session,
  )
}

function providerOf(options: LoginOptions, { profile, settings, store }: Session): ProviderChoice {
  const { provider, issuer, clientId, scopes } = options
  const stored = attemptRead(() => store.read(profile))
  return chooseProvider(
    {
      ...(provider && { provider }),
      ...(issuer !== undefined && { issuer }),
      ...(clientId !== undefined && { clientId }),
      ...(scopes && { scope: scopes }),
    },
    settings,
    stored instanceof AuthError ? undefined : stored?.credential,
  )
}

function accountRules({ force, expectAccount, workspace }: LoginOptions): AccountRules {
  return {
    workspaces: workspace === undefined ? [] : [workspace],
    expected: expectAccount,
    mayReplace: async () => force === true,
  }
}

function nobodyTold(option: string): AuthError {
  return new AuthError(
    'interaction_required',
    `Signing in needs a person, and nobody would be told where: login() was given no ${option}.`,
    { nextStep: `pass ${option}, and show the person what it is called with` },
  )
}
