import { AuthError } from '../errors.ts'
import { awaitRedirect, type AwaitedRedirect } from './await-redirect.ts'
import type { Credential } from './credential.ts'
import { exitName, nextStep } from './exit-code.ts'
import type {
  AuthorizationRequest,
  Browser,
  Input,
  Listening,
  Provider,
  ProviderChoice,
  Redirect,
  RedirectListener,
  SignInFailure,
  SignIns,
} from './ports.ts'
import type { RefreshPorts } from './refresh.ts'
import {
  credentialOf,
  proveWritable,
  revokePrevious,
  saveLogin,
  type AccountRules,
  type LoggedIn,
} from './save-login.ts'
import { listenOrTakeOver } from './take-over.ts'

export interface LogInPorts extends RefreshPorts {
  readonly listener: RedirectListener
  readonly browser: Browser
  readonly signIns: SignIns
  /** `undefined`: nothing can be read from. */
  readonly input: Input | undefined
  /** The flag that leads to a profile, with a leading space; empty where none is needed. */
  profileFlag(profile: string): string
}

export interface LogInRequest extends Pick<AwaitedRedirect, 'asks' | 'timeout' | 'onPasted'> {
  readonly profile: string
  readonly provider: ProviderChoice
  readonly ports: readonly number[]
  readonly redirectHost: 'localhost' | '127.0.0.1'
  /** The address to listen on besides loopback, for a port that is mapped from elsewhere. `undefined`: none. */
  readonly listen: string | undefined
  /** `false`: only show the address. */
  readonly openBrowser: boolean
  readonly accounts: AccountRules
  /** The address to sign in at, and the port that is listened on. Called once, before a browser is opened. */
  onAddress(url: string, port: number | undefined): void
  /** No browser could be started. */
  onNoBrowser(): void
  /** Nothing can listen, and the redirect has to be pasted. */
  onNoListener(error: AuthError): void
}

/**
 * Signs a person in with authorization code and PKCE through a temporary loopback server (RFC 8252) and saves the
 * credential.
 * @throws {AuthError} `login_*`, `wrong_account`, `no_redirect_port`, `taken_over`, a passing fault of the provider, or any
 * fault of the store; then the login before is untouched.
 */
export async function logIn(request: LogInRequest, ports: LogInPorts): Promise<LoggedIn> {
  const provider = await ports.providers.open(request.provider)
  await proveWritable(request.profile, ports)
  await provider.discover(ports.interruption)
  const listening = await listenIfPossible(request, ports)
  try {
    return await announced(request, ports, listening, (signal) =>
      signIn(request, provider, listening, ports, signal),
    )
  } finally {
    await listening?.close()
  }
}

/** Where a person can paste, a sign-in needs no port. */
async function listenIfPossible(request: LogInRequest, ports: LogInPorts): Promise<Listening | undefined> {
  try {
    return await listenOrTakeOver(request, ports)
  } catch (error) {
    const isPortFault = error instanceof AuthError && error.code === 'no_redirect_port'
    if (!isPortFault || !request.asks) throw error
    request.onNoListener(error)
    return undefined
  }
}

async function announced<T>(
  { profile }: LogInRequest,
  { signIns, interruption }: LogInPorts,
  listening: Listening | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const announcement = signIns.begin(profile, 'browser', listening?.port)
  try {
    return await work(AbortSignal.any([interruption, announcement.takenOver]))
  } finally {
    announcement.end()
  }
}

async function signIn(
  request: LogInRequest,
  provider: Provider,
  listening: Listening | undefined,
  ports: LogInPorts,
  signal: AbortSignal,
): Promise<LoggedIn> {
  const redirectUri =
    listening?.redirectUri ?? `http://${request.redirectHost}:${request.ports[0] ?? 0}/auth/callback`
  const authorization = await provider.authorizationRequest(redirectUri, request.accounts.workspaces)
  const { asks, timeout, onPasted } = request
  const onReady = (): void => show(authorization.url, listening?.port, request, ports.browser)
  // Waiting for this state comes first: a browser that is signed in already answers at once.
  const redirect = await awaitRedirect(
    authorization,
    { listening, input: ports.input, asks, timeout, onPasted, onReady },
    signal,
  )
  return finish(request, provider, authorization, redirect, ports, signal)
}

function show(url: string, port: number | undefined, request: LogInRequest, browser: Browser): void {
  request.onAddress(url, port)
  if (request.openBrowser) void openIn(browser, url, request)
}

async function openIn(browser: Browser, url: string, request: LogInRequest): Promise<void> {
  if (!(await browser.open(url))) request.onNoBrowser()
}

async function finish(
  { profile, accounts }: LogInRequest,
  provider: Provider,
  authorization: AuthorizationRequest,
  redirect: Redirect,
  ports: LogInPorts,
  signal: AbortSignal,
): Promise<LoggedIn> {
  try {
    const tokens = await provider.exchange(authorization, redirect.parameters)
    const credential = credentialOf(provider, tokens, ports.clock.now())
    const { before, ...stored } = await saveLogin(profile, credential, accounts, {
      ...ports,
      interruption: signal,
    })
    await redirect.answer(signedIn(profile, stored.credential))
    return { stored, previous: await revokePrevious(before, stored.credential, ports) }
  } catch (error) {
    await answerFailure(redirect, error, ports.profileFlag(profile))
    throw error
  }
}

function signedIn(profile: string, { account, issuer }: Credential) {
  return { kind: 'signed_in', account, profile, issuer } as const
}

async function answerFailure(redirect: Redirect, error: unknown, flag: string): Promise<void> {
  const known = error instanceof AuthError
  const reason = known ? reasonOf(error) : undefined
  await redirect.answer({
    kind: 'failed',
    ...(reason && { reason }),
    message: known ? error.message : 'Something unforeseen happened. The program says more.',
    nextStep: known ? nextStep(error, flag) : `codex-auth login${flag}`,
  })
}

function reasonOf({ code }: AuthError): SignInFailure | undefined {
  if (code === 'login_denied') return 'denied'
  if (code === 'wrong_account') return 'wrong_account'
  const exit = exitName(code)
  if (exit === 'provider_unavailable') return 'provider'
  return exit === 'store_unwritable' || exit === 'store_unreadable' ? 'store' : undefined
}
