/** The package has no types of its own; these are the parts that are used here. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Context {
    readonly status: number
    readonly body: unknown
    /** `undefined` outside the provider's own routes. */
    readonly oidc?: {
      readonly route: string
      /** `undefined`: the request was not read so far. */
      readonly params?: Readonly<Record<string, unknown>>
    }
  }

  /** A stored artifact; `jti` is the value that the client has. */
  export interface Token {
    readonly jti: string
    readonly clientId?: string
    readonly scopes: ReadonlySet<string>
  }

  export interface Client {
    readonly clientId: string
    grantTypeAllowed(grantType: string): boolean
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): this
    on(event: `${string}.saved`, listener: (token: Token) => void): this
    on(event: 'server_error', listener: (context: Context, error: Error) => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }
}
