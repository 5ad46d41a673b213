import type { Credential, ProviderName } from './credential.ts'
import type { ProviderChoice } from './ports.ts'
import type { Settings } from './settings.ts'

/** What the flags say of the provider. `undefined`: nothing. */
export interface ProviderFlags {
  readonly provider?: ProviderName
  readonly issuer?: string
  readonly clientId?: string
  readonly scope?: readonly string[]
}

/**
 * Which provider to sign in at: what the flags say, else the settings, else where the login in this profile came from,
 * so that "sign in again" leads to the same place, else OpenAI. What belongs to one provider is never sent to another.
 */
export function chooseProvider(
  flags: ProviderFlags,
  settings: Settings,
  stored: Credential | undefined,
): ProviderChoice {
  const before = fromStored(stored)
  const fallback = fromSettings(settings, before) ?? before ?? OPENAI
  const name = flags.provider ?? fallback.name
  const rest = name === fallback.name ? fallback : { ...NOTHING, name }
  const issuer = flags.issuer ?? rest.issuer
  // Another issuer than the fallback's knows neither its client nor its scopes.
  const same = issuer === rest.issuer ? rest : { ...rest, clientId: undefined, scopes: undefined }
  return { name, issuer, clientId: flags.clientId ?? same.clientId, scopes: flags.scope ?? same.scopes }
}

const NOTHING = { issuer: undefined, clientId: undefined, scopes: undefined } as const
const OPENAI: ProviderChoice = { name: 'openai', ...NOTHING }

/** A client and scopes without a provider are meant for OpenAI: they do not move a login away from where it came from. */
function fromSettings(settings: Settings, stored: ProviderChoice | undefined): ProviderChoice | undefined {
  const { provider, issuer, client_id: clientId, scopes } = settings
  const namesPlace = provider !== undefined || issuer !== undefined
  if (!namesPlace && (stored?.name === 'oidc' || (clientId === undefined && scopes === undefined)))
    return undefined
  const place = namesPlace ? undefined : stored
  return {
    name: provider ?? 'openai',
    issuer: issuer ?? place?.issuer,
    clientId: clientId ?? place?.clientId,
    scopes,
  }
}

function fromStored(stored: Credential | undefined): ProviderChoice | undefined {
  if (stored === undefined || stored.method === 'api_key' || stored.method === 'access_token')
    return undefined
  return { name: stored.provider, issuer: stored.issuer, clientId: stored.clientId, scopes: undefined }
}
