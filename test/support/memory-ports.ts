import type { Credential } from '../../src/core/credential.ts'
import type {
  CredentialStore,
  DeviceAnswer,
  DeviceAuthorization,
  Exclusive,
  HeldCredential,
  Provider,
  RefreshOutcome,
  Spending,
  StoredCredential,
  Tokens,
  Verdict,
} from '../../src/core/ports.ts'
import type { Usage } from '../../src/core/usage.ts'
import { freshSecret, NOW, sampleCredential } from './credentials.ts'

/** The name of the one profile. */
export const PROFILE = 'work'

type Step =
  | 'lock'
  | 'read'
  | 'reserve'
  | 'save'
  | 'remove'
  | 'discover'
  | 'refresh'
  | 'exchange'
  | 'revoke'
  | 'authorize device'
  | 'poll'
  | 'verify'
  | 'usage'
  | 'mint'

/**
 * One profile and one provider in memory: for states that a real store or server is hardly ever in. Whatever is done
 * with them is written down in the journal.
 */
export class MemoryPorts {
  readonly journal: string[] = []
  stored: StoredCredential | undefined
  /** What the named step throws from now on. */
  readonly faults = new Map<Step, unknown>()
  /** Runs before the named step, such as another process that comes in between. */
  readonly before = new Map<Step, () => unknown>()
  outcome: RefreshOutcome
  readonly device: DeviceAuthorization
  /** What each poll of the device code is answered, in turn; what is an error is thrown. */
  polls: (DeviceAnswer | Error)[] = []
  /** `false`: it has no revocation endpoint. */
  canRevoke = true
  spentBefore: Spending | undefined
  /** What the provider says of each token that it is shown, in turn; the last one for all that follow. */
  verdicts: Verdict[] = ['valid']
  /** `undefined`: the provider does not tell. */
  usage: Usage | undefined
  /** The API key that it gives. */
  readonly apiKey = freshSecret('api_key')
  /** The signal that the provider was given last. */
  signal: AbortSignal | undefined
  readonly clock = { now: () => NOW + 0.9 }
  readonly interruption: AbortSignal
  readonly environment: Credential | undefined = undefined

  /** `undefined`: nobody is signed in. */
  constructor(credential: Credential | undefined, interruption = new AbortController().signal) {
    this.interruption = interruption
    this.stored = credential && { credential, generation: 1 }
    this.outcome = { kind: 'tokens', tokens: freshTokens() }
    this.device = {
      verificationUrl: 'https://auth.openai.com/codex/device',
      verificationUrlComplete: undefined,
      userCode: 'BCDF-GHJKL',
      expiresAt: NOW + 900,
      interval: 5,
      deviceCode: freshSecret('other'),
    }
  }

  readonly store: CredentialStore = {
    read: () => this.#read(),
    profiles: () => (this.stored === undefined ? [] : [PROFILE]),
    describe: () => ({ path: '/nowhere', keySource: 'file' }),
    recover: () => Promise.resolve(),
    forget: () => Promise.reject(new Error('nothing is forgotten here')),
    exclusively: (_, options) => this.#exclusively(options),
  }

  readonly providers = {
    open: ({ issuer }: { readonly issuer: string | undefined }): Promise<Provider> => {
      this.journal.push(`open ${issuer}`)
      return Promise.resolve(this.#provider)
    },
  }

  /** What another process does: saves, without a word in the journal. */
  replace(credential: Credential | undefined): void {
    this.stored = credential && { credential, generation: (this.stored?.generation ?? 0) + 1 }
  }

  async #exclusively<T>({ settled, work }: Exclusive<T>): Promise<T> {
    this.before.get('lock')?.()
    const value = settled?.()
    if (value !== undefined) return value
    this.#fail('lock')
    this.journal.push('lock')
    try {
      return await work(this.#held)
    } finally {
      this.journal.push('unlock')
    }
  }

  readonly #held: HeldCredential = {
    read: () => this.#read(),
    reserve: () => this.#step('reserve'),
    recordSpending: (refreshToken) => {
      this.journal.push(
        `spend ${refreshToken === this.stored?.credential.refreshToken ? 'the stored' : 'another'}`,
      )
    },
    save: (credential) => {
      this.#step('save')
      this.stored = { credential, generation: (this.stored?.generation ?? 0) + 1 }
      return this.stored
    },
    remove: () => {
      this.#step('remove')
      this.stored = undefined
    },
    spentBefore: () => this.spentBefore,
    release: () => void this.journal.push('release'),
  }

  readonly #provider: Provider = {
    name: 'openai',
    method: 'chatgpt',
    issuer: 'https://auth.openai.com',
    clientId: 'app_0123456789',
    scopes: ['openid', 'offline_access'],
    discover: async (signal) => {
      this.signal = signal
      this.#step('discover')
    },
    authorizationRequest: (redirectUri) =>
      Promise.resolve({
        url: 'https://auth.openai.com/oauth/authorize?state=the-state',
        state: 'the-state',
        redirectUri,
        codeVerifier: freshSecret('code_verifier'),
        nonce: undefined,
        issuerInRedirect: false,
      }),
    exchange: async (_, redirect) => {
      this.#step('exchange', ` ${redirect.get('code')}`)
      return this.outcome.kind === 'tokens' ? this.outcome.tokens : Promise.reject(new Error('no tokens'))
    },
    refresh: async (_, { reason, retryFor, signal }) => {
      this.signal = signal
      this.#step('refresh', `, ${reason}, for ${retryFor} s`)
      return this.outcome
    },
    authorizeDevice: async (signal) => {
      this.signal = signal
      this.#step('authorize device')
      return this.device
    },
    pollDevice: async ({ deviceCode }, signal) => {
      this.signal = signal
      this.#step('poll')
      const answer = deviceCode === this.device.deviceCode ? this.polls.shift() : undefined
      if (answer === undefined) throw new Error('nobody polls here')
      if (answer instanceof Error) throw answer
      return answer
    },
    revoke: async (credential, signal) => {
      this.signal = signal
      await this.before.get('revoke')?.()
      this.journal.push(
        `revoke ${credential.refreshToken === this.stored?.credential.refreshToken ? 'the stored' : 'another'} login`,
      )
      this.#fail('revoke')
      return this.canRevoke
    },
    verify: async (credential, signal) => {
      this.signal = signal
      await this.before.get('verify')?.()
      this.journal.push(`verify ${this.#which(credential)}`)
      this.#fail('verify')
      return this.#verdict()
    },
    usage: async (credential, signal) => {
      this.signal = signal
      this.#step('usage', ` ${this.#which(credential)}`)
      return this.#verdict() === 'refused' ? 'refused' : this.usage
    },
    mintApiKey: async (idToken) => {
      this.#step('mint', idToken === this.stored?.credential.idToken ? '' : ' with another id token')
      return this.apiKey
    },
  }

  #which({ accessToken }: Credential): string {
    return accessToken === this.stored?.credential.accessToken ? 'the stored token' : 'another token'
  }

  #verdict(): Verdict {
    const [first = 'valid'] = this.verdicts
    if (this.verdicts.length > 1) this.verdicts.shift()
    return first
  }

  #read(): StoredCredential | undefined {
    this.#fail('read')
    return this.stored
  }

  #step(step: Step, details = ''): void {
    this.before.get(step)?.()
    this.journal.push(`${step}${details}`)
    this.#fail(step)
  }

  #fail(step: Step): void {
    if (this.faults.has(step)) throw this.faults.get(step)
  }
}

/** What a provider answers to a refresh, with changes. */
export function freshTokens(changes: Partial<Tokens> = {}): Tokens {
  return {
    accessToken: freshSecret('access_token'),
    tokenType: 'Bearer',
    refreshToken: freshSecret('refresh_token'),
    idToken: freshSecret('id_token'),
    expiresAt: NOW + 3600,
    scopes: ['openid', 'offline_access'],
    account: { email: 'ada@example.org', id: 'account-1', userId: 'user-1', plan: 'plus' },
    clockSkew: 0,
    ...changes,
  }
}

/** A login that is about to end, or has. */
export function endingCredential(left = 60, changes: Partial<Credential> = {}): Credential {
  return sampleCredential({ expiresAt: NOW + left, obtainedAt: NOW + left - 3600, ...changes })
}
