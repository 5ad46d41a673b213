import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { profileStore } from '../../src/adapters/store/profile-store.ts'
import { whereabouts } from '../../src/adapters/whereabouts.ts'
import type { Credential } from '../../src/core/credential.ts'
import { addressOf, startCli, type Ended, type RunOptions } from './cli.ts'
import { credentialOf, startFakeIssuer, type FakeIssuer, type IssuedLogin } from './fake-issuer.ts'
import { startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts'
import { recordOutput } from './secrets.ts'
import { signIn, type Page, type SignInOptions } from './sign-in.ts'

/** A folder for everything the program keeps, until the test is over. */
export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'codex-auth-home-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

/** An issuer with OpenAI's dialect and redirects to any port, until the test is over. */
export async function newIssuer(): Promise<FakeIssuer> {
  const issuer = await startFakeIssuer({ anyRedirectPort: true })
  onTestFinished(() => issuer.close())
  return issuer
}

/** A certified OpenID provider, until the test is over. */
export async function newProvider(): Promise<OpenIdProvider> {
  const provider = await startOpenIdProvider()
  onTestFinished(() => provider.close())
  return provider
}

/** What signing in at this issuer takes on the command line; the redirect comes to any free port. */
export function atIssuer({ issuer }: Pick<FakeIssuer, 'issuer'>): string[] {
  return ['login', '--no-browser', '--issuer', issuer, '--port', '0']
}

/** What signing in at this OpenID provider takes on the command line. */
export function atProvider({ issuer, clientId }: Pick<OpenIdProvider, 'issuer' | 'clientId'>): string[] {
  return ['login', '--no-browser', '--provider', 'oidc', '--issuer', issuer, '--client-id', clientId]
}

const IN_CONTAINER = [
  'In a container, the browser comes back only through a mapped port; --listen 0.0.0.0 helps with that, and --device-code needs no port.',
]

/** All that a sign-in says without a terminal when nothing goes wrong, on whatever machine this is. */
export function signInSaid(address: string, account: string): string {
  return [
    'Sign in at this address:',
    '',
    address,
    '',
    ...(whereabouts({}).container ? IN_CONTAINER : []),
    'Waiting up to 5 min for the sign-in. Ctrl-C ends it and changes nothing.',
    `Signed in as ${account}, profile "default".`,
    '',
  ].join('\n')
}

export interface SignedIn extends Ended {
  /** What was shown to sign in at. */
  readonly address: string
  /** What the person has in the browser at the end. */
  readonly page: Page
  /** Milliseconds from the moment the browser had that page to the end of the program. */
  readonly lingered: number
}

/** Runs a `login` while a person does what it asks for. */
export async function logIn(
  args: readonly string[],
  options: RunOptions,
  person: SignInOptions = {},
): Promise<SignedIn> {
  const running = startCli(args, options)
  const address = await addressOf(running)
  const page = await signIn(address, person)
  const shown = performance.now()
  const ended = await running.ended
  recordOutput(`${page.url}\n${page.text}`, 'the page after the sign-in')
  return { ...ended, address, page, lingered: performance.now() - shown }
}

/** Puts a login into a profile as if it had been signed in here. */
export async function storeLogin(
  home: string,
  login: IssuedLogin,
  changes: Partial<Credential> = {},
  profile = 'default',
): Promise<void> {
  const store = profileStore({ root: home, lockWait: 5, interruption: new AbortController().signal })
  const credential = { ...credentialOf(login), ...changes }
  await store.exclusively(profile, { work: async (held) => void held.save(credential) })
}

/** Where a sign-in at this address comes back to. */
export function redirectUriOf(address: string): string {
  return new URL(address).searchParams.get('redirect_uri') ?? ''
}

/** What a person has in the address bar whose browser cannot reach this machine. */
export async function redirectFrom(address: string): Promise<URL> {
  const answer = await fetch(address, { redirect: 'manual' })
  return new URL(answer.headers.get('location') ?? '')
}

/** The redirect of this sign-in, with its own state and whatever else a test puts into it. */
export function redirectTo(address: string, parameters: Readonly<Record<string, string>>): URL {
  const redirect = new URL(redirectUriOf(address))
  redirect.search = new URLSearchParams({
    state: new URL(address).searchParams.get('state') ?? '',
    ...parameters,
  }).toString()
  return redirect
}

export function credentialFile(home: string, profile = 'default'): string {
  return join(home, 'profiles', `${profile}.cred`)
}

/** Stands for the content of a profile's credential: equal only while not a byte has changed, and safe to print. */
export function fingerprint(home: string, profile = 'default'): string {
  return createHash('sha256')
    .update(readFileSync(credentialFile(home, profile)))
    .digest('hex')
}
