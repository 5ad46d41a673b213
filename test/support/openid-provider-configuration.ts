import type { Client, Context, Token } from 'oidc-provider'

/** Seconds. They may be changed while the provider runs. */
export interface Lifetimes {
  access: number
  refresh: number
}

export const CLIENT_ID = 'codex-auth-test'

const GRANT_TYPES = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']
/** A loopback address that is registered without a port may have any (RFC 8252, section 7.3). */
const REDIRECT_URIS = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}/auth/callback`)

/** One public native client, and the features that it meets at large providers. */
export function configuration(lifetimes: Lifetimes): object {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: REDIRECT_URIS,
        grant_types: GRANT_TYPES,
        response_types: ['code'],
      },
    ],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_context: Context, client: Client, source: Token) =>
      client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: true, allowedPolicy: ownToken },
      introspection: { enabled: true, allowedPolicy: ownToken },
      deviceFlow: { enabled: true },
    },
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_context: Context, login: string) => ({ accountId: login, claims: () => claimsOf(login) }),
    // Otherwise an expired access token works a quarter of a minute longer.
    clockTolerance: 0,
    ttl: {
      AccessToken: () => lifetimes.access,
      RefreshToken: () => lifetimes.refresh,
      AuthorizationCode: 60,
      DeviceCode: 600,
      IdToken: 3600,
      Interaction: 600,
      Grant: 24 * 3600,
      Session: 24 * 3600,
    },
  }
}

function ownToken(_context: Context, client: Client, token: Token): boolean {
  return token.clientId === client.clientId
}

function claimsOf(login: string): object {
  return { sub: login, email: `${login}@example.com`, email_verified: true, name: login }
}
