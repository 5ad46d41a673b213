import type { Context, Provider, Token } from 'oidc-provider'
import { listenOnLoopback } from './loopback-server.ts'
import { CLIENT_ID, configuration } from './openid-provider-configuration.ts'
import { recordSecret, type SecretKind } from './secrets.ts'

export interface OpenIdProviderOptions {
  /** Seconds; 3600 unless told. */
  readonly accessTokenLifetime?: number
  /** Seconds; a day unless told. */
  readonly refreshTokenLifetime?: number
  /** 0, the default: any free one. */
  readonly port?: number
}

export interface OpenIdProvider {
  /** The base address: `http://127.0.0.1:PORT`. */
  readonly issuer: string
  readonly clientId: string
  /** Refresh requests, whatever came of them. */
  readonly refreshes: number
  /** Those of them that were refused. */
  readonly refusedRefreshes: number
  readonly revocations: number
  /** Every token, code, verifier, state and nonce that was issued or received. */
  readonly secrets: ReadonlySet<string>
  /** Seconds, for every access token from now on. */
  accessTokenLifetime: number
  /**
   * Stops listening and ends every connection. Safe to repeat.
   * @throws {AggregateError} what failed in the provider itself since it started.
   */
  close(): Promise<void>
}

interface Observed {
  refreshes: number
  refusedRefreshes: number
  revocations: number
  readonly secrets: Set<string>
  readonly faults: unknown[]
}

/** Codes of the socket and of the HTTP parser, in the middle of a request or of its answer. */
const CLIENT_WENT_AWAY = /^(?:ECONN|EPIPE|HPE_)/
const SECRETS = new Map<string, SecretKind>([
  ['access_token', 'access_token'],
  ['refresh_token', 'refresh_token'],
  ['id_token', 'id_token'],
  ['code', 'authorization_code'],
  ['code_verifier', 'code_verifier'],
  ['device_code', 'other'],
  ['state', 'state'],
  ['nonce', 'nonce'],
])

/**
 * A certified authorization server on this machine, with one public native client. Whatever a person types as login
 * is an account, with the address `LOGIN@example.com`. `offline_access` needs `prompt=consent`.
 */
export async function startOpenIdProvider(options: OpenIdProviderOptions = {}): Promise<OpenIdProvider> {
  silenceProvider()
  const { Provider } = await import('oidc-provider')
  const { accessTokenLifetime = 3600, refreshTokenLifetime = 24 * 3600, port } = options
  const lifetimes = { access: accessTokenLifetime, refresh: refreshTokenLifetime }
  const server = await listenOnLoopback(port)
  const provider = new Provider(server.origin, configuration(lifetimes))
  const observed = observe(provider)
  server.serve(provider.callback())
  return {
    issuer: server.origin,
    clientId: CLIENT_ID,
    get refreshes() {
      return observed.refreshes
    },
    get refusedRefreshes() {
      return observed.refusedRefreshes
    },
    get revocations() {
      return observed.revocations
    },
    secrets: observed.secrets,
    get accessTokenLifetime() {
      return lifetimes.access
    },
    set accessTokenLifetime(seconds) {
      lifetimes.access = seconds
    },
    close: async () => {
      await server.close()
      if (observed.faults.length > 0) throw new AggregateError(observed.faults, 'the provider itself failed')
    },
  }
}

/** Counts before the answer goes out, so that whoever has the answer sees the count. */
function observe(provider: Provider): Observed {
  const observed: Observed = {
    refreshes: 0,
    refusedRefreshes: 0,
    revocations: 0,
    secrets: new Set(),
    faults: [],
  }
  const keep = (value: unknown, kind: SecretKind): void => {
    if (typeof value !== 'string') return
    observed.secrets.add(value)
    recordSecret(value, kind)
  }
  provider.use(async (context, next) => {
    await next()
    const { route, params = {} } = context.oidc ?? {}
    for (const [name, kind] of SECRETS) keep(params[name], kind)
    for (const [name, kind] of SECRETS) keep(field(context.body, name), kind)
    if (route === 'revocation') observed.revocations += 1
    if (route !== 'token' || params['grant_type'] !== 'refresh_token') return
    observed.refreshes += 1
    if (context.status !== 200) observed.refusedRefreshes += 1
  })
  provider.on('authorization_code.saved', (code: Token) => keep(code.jti, 'authorization_code'))
  provider.on('server_error', (_context: Context, error: Error) => observed.faults.push(error))
  provider.on('error', (error: Error) => {
    if (!('code' in error) || !CLIENT_WENT_AWAY.test(String(error.code))) observed.faults.push(error)
  })
  return observed
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
}

let silenced = false

/** The package warns on the console about its own keys, its memory and the Node.js version: none is news to a test. */
function silenceProvider(): void {
  if (silenced) return
  silenced = true
  for (const level of ['info', 'warn'] as const) {
    const { [level]: original } = console
    console[level] = (...words: unknown[]) => {
      if (!/oidc-provider (?:NOTICE|WARNING): /.test(String(words[0]))) original.apply(console, words)
    }
  }
}
