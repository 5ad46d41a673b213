import { tokenName } from './codex-credential.ts'
import type { Credential } from './credential.ts'
import { hasMember, withMember } from './json-text.ts'

export interface CodexAuthText {
  /** What is in the file now. `undefined`: there is none. */
  readonly before: string | undefined
  /** `true`: an API key beside the login belongs to the same account and stays. */
  readonly keepsApiKey: boolean
}

type Members = Readonly<Record<string, unknown>>

/**
 * The text of Codex's `auth.json` for this login. A file that is there is changed where it must be; its other members,
 * their order and all spaces stay. What else Codex could sign in with is set to `null`, since some of it goes first.
 * @param credential of a method that Codex knows; one of `chatgpt` has an id token.
 */
export async function codexAuthText(
  credential: Credential,
  { before, keepsApiKey }: CodexAuthText,
): Promise<string> {
  const file = await membersFor(credential)
  if (before === undefined) return JSON.stringify(file, null, 2)
  const { OPENAI_API_KEY: key, tokens, ...others } = file
  // Behind a byte order mark, Codex would not read it.
  let text = before.replace(/^\uFEFF/, '')
  for (const name of SIGNS_IN)
    if (hasMember(text, name) && file[name] === undefined) text = withMember(text, [name], null)
  if (!keepsApiKey || !hasMember(text, 'OPENAI_API_KEY')) text = withMember(text, ['OPENAI_API_KEY'], key)
  if (tokens !== undefined) text = withTokens(text, tokens as Members)
  for (const [name, value] of Object.entries(others)) text = withMember(text, [name], value)
  return text
}

/** Whatever of these is there and not `null` may decide how Codex signs in. */
const SIGNS_IN = [
  'auth_mode',
  'tokens',
  'agent_identity',
  'personal_access_token',
  'bedrock_api_key',
  'bedrock_access_keys',
  'last_refresh',
]

function withTokens(text: string, tokens: Members): string {
  const { tokens: lying } = JSON.parse(text) as Members
  if (typeof lying !== 'object' || lying === null || Array.isArray(lying))
    return withMember(text, ['tokens'], tokens)
  return Object.entries(tokens).reduce(
    (changed, [name, value]) => withMember(changed, ['tokens', name], value),
    text,
  )
}

/** As Codex itself writes them, in its order. */
async function membersFor(credential: Credential): Promise<Members> {
  const { method, accessToken } = credential
  if (method === 'api_key') return { auth_mode: 'apikey', OPENAI_API_KEY: accessToken }
  // Older releases do not know the mode of these, and find out by themselves.
  if (method === 'access_token') return { OPENAI_API_KEY: null, personal_access_token: accessToken }
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: await tokensOf(credential),
    // Without it, Codex sends its requests without a token.
    last_refresh: new Date((credential.refreshedAt ?? credential.obtainedAt) * 1000).toISOString(),
  }
}

async function tokensOf(credential: Credential): Promise<Members> {
  const { accessToken, refreshToken = '', idToken, issuer, clientId, account } = credential
  return {
    id_token: idToken,
    access_token: accessToken,
    refresh_token: refreshToken,
    oauth_provenance: { issuer, client_id: clientId },
    login_owner_id: await ownerId(credential),
    account_id: account.id ?? null,
  }
}

/**
 * The name under which Codex keeps this login through all its refreshes. It follows from the refresh token, so that a
 * login that was handed over before is known again, whatever Codex has made of it.
 */
export function ownerId({ refreshToken, accessToken }: Credential): Promise<string> {
  return tokenName(refreshToken ?? accessToken)
}
