import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { profileStore } from '../src/adapters/store/profile-store.ts'
import { attemptRead } from '../src/core/attempt-read.ts'
import type { Credential } from '../src/core/credential.ts'
import type { CredentialStore, StoredCredential } from '../src/core/ports.ts'
import type { AuthError } from '../src/errors.ts'
import {
  credentialOf,
  startFakeIssuer,
  type FakeIssuer,
  type IssuedLogin,
} from '../test/support/fake-issuer.ts'
import { startFront, type Front, type Mischief } from './front.ts'
import type { Ended, Running, RunOptions } from './program.ts'
import type { Stage } from './scenario.ts'

/** One try of a fault: a login at an issuer of its own, in a folder of its own. */
export interface Trial {
  readonly issuer: FakeIssuer
  /** How many requests the program has made. */
  asked(): number
  /** What was signed in with; its access token is over. */
  readonly login: IssuedLogin
  readonly folder: string
  readonly home: string
  start(args: readonly string[], options?: Partial<RunOptions>): Running
  run(args: readonly string[], options?: Partial<RunOptions>): Promise<Ended>
  /** What is stored, as a process sees it that begins now. */
  read(profile?: string): StoredCredential | AuthError | undefined
  save(credential: Credential, profile?: string): Promise<void>
  /** The bytes of the credential's file. `undefined`: there is none. */
  bytes(): Buffer | undefined
  /** Makes the files of another user this one's, who can look at them then. */
  takeBack(): void
  readonly credentialPath: string
  readonly lockPath: string
}

export interface TrialOptions {
  /** Where the login is kept, instead of a new folder. */
  readonly home?: string
  readonly changes?: Partial<Credential>
  /** Done to the first request by a server in front of the issuer. */
  readonly mischief?: Mischief
  /** The user who owns the files, by number. */
  readonly user?: number
}

/** A new folder for the program, without a login. */
export type Empty = Omit<Trial, 'issuer' | 'login' | 'asked'>

export async function inFolder<T>(stage: Stage, work: (empty: Empty) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(stage.root, 'trial-'))
  try {
    return await work(emptyIn(stage, folder, join(folder, 'home')))
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** Opens a trial, and removes everything of it when `work` is over. */
export async function inTrial<T>(
  stage: Stage,
  work: (trial: Trial) => Promise<T>,
  options: TrialOptions = {},
): Promise<T> {
  const issuer = await startFakeIssuer({ anyRedirectPort: true })
  const front = options.mischief && (await startFront(issuer.issuer, options.mischief))
  try {
    return await inFolder(stage, async ({ folder }) =>
      work(await openTrial(stage, { issuer, front, folder }, options)),
    )
  } finally {
    await front?.close()
    await issuer.close()
  }
}

interface Parts {
  readonly issuer: FakeIssuer
  readonly front: Front | undefined
  readonly folder: string
}

async function openTrial(
  stage: Stage,
  { issuer, front, folder }: Parts,
  { home = join(folder, 'home'), changes = {}, user }: TrialOptions,
): Promise<Trial> {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const login = issuer.issueLogin({ accessTokenLifetime: -60 })
  const asked = (): number => (front ?? { requests: issuer.requests.length }).requests
  const trial: Trial = { ...emptyIn(stage, folder, home, user), issuer, login, asked }
  await trial.save({ ...credentialOf(login), issuer: front?.origin ?? issuer.issuer, ...changes })
  if (user !== undefined) giveTo(user, folder)
  return trial
}

function emptyIn(stage: Stage, folder: string, home: string, user?: number): Empty {
  const credentialPath = join(home, 'profiles', 'default.cred')
  const start: Trial['start'] = (args, options) =>
    stage.program.start(args, { home, temporary: tmpdir(), ...(user !== undefined && { user }), ...options })
  return {
    folder,
    home,
    start,
    run: (args, options) => start(args, options).ended,
    read: (profile = 'default') => attemptRead(() => storeAt(home).read(profile)),
    save: (credential, profile = 'default') =>
      storeAt(home).exclusively(profile, { work: async (held) => void held.save(credential) }),
    bytes: () => (existsSync(credentialPath) ? readFileSync(credentialPath) : undefined),
    takeBack: () => {
      if (user !== undefined) giveTo(process.getuid?.() ?? user, folder)
    },
    credentialPath,
    lockPath: join(home, 'profiles', 'default.lock'),
  }
}

/** A store as the program opens it. */
function storeAt(home: string): CredentialStore {
  return profileStore({ root: home, lockWait: 5, interruption: new AbortController().signal })
}

function giveTo(user: number, folder: string): void {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const path of ['', ...entries]) chownSync(join(folder, path), user, user)
}
