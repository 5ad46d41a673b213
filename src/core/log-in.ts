import { AuthError } from '../errors.ts'
import { attemptRead } from './attempt-read.ts'
import type { Account, Credential } from './credential.ts'
import { formatDuration } from './duration.ts'
import { nextStep } from './exit-code.ts'
import type {
  Browser,
  Listening,
  Provider,
  ProviderChoice,
  Redirect,
  RedirectListener,
  SignIns,
  StoredCredential,
  Tokens,
} from './ports.ts'
import { revocation, type Revocation } from './revocation.ts'
import type { RefreshPorts } from './refresh.ts'

export interface LogInPorts extends RefreshPorts {
  readonly listener: RedirectListener
  readonly browser: Browser
  readonly signIns: SignIns
}

export interface LogInRequest {
  readonly profile: string
  readonly provider: ProviderChoice
  readonly ports: readonly number[]
  readonly redirectHost: 'localhost' | '127.0.0.1'
  /** `false`: only show the address. */
  readonly openBrowser: boolean
  /** Seconds the person has. */
  readonly timeout: number
  /** The address to sign in at. Called once, before a browser is opened. */
  onAddress(url: string): void
  /** No browser could be started. */
  onNoBrowser(): void
}

export interface LoggedIn {
  readonly stored: StoredCredential
  /** What became of the login that was there before. `undefined`: there was none, or nothing to revoke. */
  readonly previous: Revocation | undefined
}

/**
 * Signs a person in with authorization code and PKCE through a temporary loopback server (RFC 8252) and saves the
 * credential. The login before stays until the new one is saved and read back; only then is it revoked.
 * @throws {AuthError} `login_*`, `no_redirect_port`, a passing fault of the provider, or any fault of the store; then
 * the login before is untouched.
 */
export async function logIn(request: LogInRequest, ports: LogInPorts): Promise<LoggedIn> {
  const provider = await ports.providers.open(request.provider)
  await proveWritable(request.profile, ports)
  await provider.discover(ports.interruption)
  const listening = await ports.listener.listen(request)
  try {
    return await announced(request.profile, ports, () => signIn(request, provider, listening, ports))
  } finally {
    await listening.close()
  }
}

async function announced<T>(profile: string, { signIns }: LogInPorts, work: () => Promise<T>): Promise<T> {
  const end = signIns.begin(profile, 'browser')
  try {
    return await work()
  } finally {
    end()
  }
}

/** A disk that takes nothing is better known before the person signs in than after. */
async function proveWritable(profile: string, { store }: LogInPorts): Promise<void> {
  await store.exclusively(profile, {
    work: async (held) => {
      held.reserve()
      held.release()
    },
  })
}

async function signIn(
  request: LogInRequest,
  provider: Provider,
  listening: Listening,
  ports: LogInPorts,
): Promise<LoggedIn> {
  const authorization = await provider.authorizationRequest(listening.redirectUri)
  const redirect = await withinTime(request.timeout, ports.interruption, (signal) => {
    // Listening for this state comes first: a browser that is signed in already answers at once.
    const arriving = listening.redirect(authorization.state, signal)
    request.onAddress(authorization.url)
    if (request.openBrowser) void showIn(ports.browser, authorization.url, request)
    return arriving
  })
  try {
    const tokens = await provider.exchange(authorization, redirect.parameters)
    const saved = await save(request.profile, provider, tokens, ports)
    await redirect.answer(signedIn(request.profile, saved.stored.credential))
    return { stored: saved.stored, previous: await revokePrevious(saved, ports) }
  } catch (error) {
    await answerFailure(redirect, error, request.profile)
    throw error
  }
}

async function showIn(browser: Browser, url: string, request: LogInRequest): Promise<void> {
  if (!(await browser.open(url))) request.onNoBrowser()
}

/** Milliseconds. A timer that is set for longer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

async function withinTime<T>(
  seconds: number,
  interruption: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController()
  const timer = setTimeout(
    () => {
      timeout.abort(
        new AuthError('login_timeout', `Nobody finished the sign-in within ${formatDuration(seconds)}.`),
      )
    },
    Math.min(seconds * 1000, LONGEST_TIMER),
  )
  try {
    return await work(AbortSignal.any([interruption, timeout.signal]))
  } finally {
    clearTimeout(timer)
  }
}

interface Saved {
  readonly stored: StoredCredential
  readonly before: Credential | undefined
}

async function save(profile: string, provider: Provider, tokens: Tokens, ports: LogInPorts): Promise<Saved> {
  return ports.store.exclusively(profile, {
    uninterruptible: true,
    work: async (held) => {
      // What lies there and cannot be read cannot be revoked either; saving sets it aside.
      const before = attemptRead(() => held.read())
      const stored = held.save(credentialOf(provider, tokens, Math.floor(ports.clock.now())))
      return { stored, before: before instanceof AuthError ? undefined : before?.credential }
    },
  })
}

const NOBODY: Account = { email: undefined, id: undefined, userId: undefined, plan: undefined }

function credentialOf(provider: Provider, tokens: Tokens, now: number): Credential {
  return {
    method: provider.method,
    provider: provider.name,
    issuer: provider.issuer,
    clientId: provider.clientId,
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    refreshToken: tokens.refreshToken,
    idToken: tokens.idToken,
    expiresAt: tokens.expiresAt,
    obtainedAt: now,
    refreshedAt: undefined,
    scopes: tokens.scopes ?? provider.scopes,
    account: tokens.account ?? NOBODY,
    clockSkew: tokens.clockSkew,
    refusal: undefined,
  }
}

async function revokePrevious({ stored, before }: Saved, ports: LogInPorts): Promise<Revocation | undefined> {
  if (before === undefined || before.refreshToken === stored.credential.refreshToken) return undefined
  return mayShareGrant(before, stored.credential) ? undefined : revocation(before, ports)
}

/**
 * OpenID providers commonly keep one grant for each browser session, account and client, and revoke it whole: revoking the
 * old login of the same account would then end the one just saved. Its refresh token is only forgotten instead.
 */
function mayShareGrant(before: Credential, after: Credential): boolean {
  if (before.provider !== 'oidc' || after.provider !== 'oidc') return false
  if (before.issuer !== after.issuer || before.clientId !== after.clientId) return false
  const [one, other] = [before.account.id, after.account.id]
  return one === undefined || other === undefined || one === other
}

function signedIn(profile: string, { account, issuer }: Credential) {
  return { kind: 'signed_in', account, profile, issuer } as const
}

async function answerFailure(redirect: Redirect, error: unknown, profile: string): Promise<void> {
  const known = error instanceof AuthError
  await redirect.answer({
    kind: 'failed',
    message: known ? error.message : 'Something unforeseen happened. The terminal says more.',
    nextStep: known ? nextStep(error, profile) : 'codex-auth login',
  })
}
