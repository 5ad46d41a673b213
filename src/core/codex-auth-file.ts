import { AuthError } from '../errors.ts'
import { memberNames } from './json-text.ts'

/** A ChatGPT sign-in of Codex's own. */
export interface CodexChatGptLogin {
  readonly kind: 'chatgpt'
  readonly idToken: string
  readonly accessToken: string
  /** Empty: it has been moved elsewhere, and what is left ends with its access token. */
  readonly refreshToken: string
  /** The workspace that Codex sends with each request. */
  readonly accountId: string | undefined
  /** Where it came from. `undefined`: a release that did not note it. */
  readonly provenance: { readonly issuer: string; readonly clientId: string } | undefined
  /** Codex's own name for this sign-in, the same through all refreshes. `undefined` as above. */
  readonly ownerId: string | undefined
  /** Epoch seconds. `undefined`: unknown. */
  readonly lastRefresh: number | undefined
}

/** What Codex's `auth.json` holds. `other`: a way to sign in that is bound to Codex; `mode` names it. */
export type CodexLogin =
  | CodexChatGptLogin
  | { readonly kind: 'api_key' | 'access_token'; readonly secret: string }
  | { readonly kind: 'other'; readonly mode: OtherMode }
  | { readonly kind: 'none' }

export type OtherMode = 'agentIdentity' | 'bedrockApiKey' | 'bedrockAccessKeys' | 'chatgptAuthTokens'

/** `codex_unreadable` with what is wrong, for people; nothing of the file is in it. */
type Fault = (what: string) => AuthError

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the text of `auth.json` as Codex itself does: the mode it names, else the one that its content tells.
 * @param path for messages.
 * @throws {AuthError} `codex_unreadable` for what Codex could not read either, or what a later release has written.
 */
export function parseCodexAuth(text: string, path: string): CodexLogin {
  const fault: Fault = (what) => new AuthError('codex_unreadable', `Codex's file ${path} ${what}.`)
  const file = objectIn(text)
  if (file === undefined) throw fault('holds no JSON object')
  const twice = repeated(text, file)
  if (twice !== undefined) throw fault(`has ${twice} twice`)
  const mode = optionalText(file, 'auth_mode', fault) ?? impliedMode(file)
  switch (mode) {
    case 'chatgpt':
      return chatGptLogin(file, fault)
    case 'apikey':
      return secretLogin('api_key', file, 'OPENAI_API_KEY', fault)
    case 'personalAccessToken':
      return secretLogin('access_token', file, 'personal_access_token', fault)
    case 'agentIdentity':
    case 'bedrockApiKey':
    case 'bedrockAccessKeys':
    case 'chatgptAuthTokens':
      return { kind: 'other', mode }
    default:
      throw fault(`has an auth_mode that this version does not know${shown(mode)}`)
  }
}

/** Codex takes no file that has one of these twice; each reader would believe another one. */
const FILE = [
  'auth_mode',
  'OPENAI_API_KEY',
  'tokens',
  'last_refresh',
  'agent_identity',
  'personal_access_token',
  'bedrock_api_key',
  'bedrock_access_keys',
]
const TOKENS = [
  'id_token',
  'access_token',
  'refresh_token',
  'oauth_provenance',
  'login_owner_id',
  'account_id',
]

function repeated(text: string, file: Fields): string | undefined {
  const inTokens = isObject(file['tokens']) ? memberNames(text, ['tokens']) : []
  return firstTwice(FILE, memberNames(text)) ?? firstTwice(TOKENS, inTokens)
}

function firstTwice(known: readonly string[], names: readonly string[]): string | undefined {
  return known.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
}

function impliedMode(file: Fields): string {
  const has = (name: string): boolean => file[name] !== undefined && file[name] !== null
  if (has('personal_access_token')) return 'personalAccessToken'
  if (has('bedrock_api_key')) return 'bedrockApiKey'
  if (has('bedrock_access_keys')) return 'bedrockAccessKeys'
  if (has('OPENAI_API_KEY')) return 'apikey'
  return has('agent_identity') && !has('tokens') ? 'agentIdentity' : 'chatgpt'
}

function secretLogin(kind: 'api_key' | 'access_token', file: Fields, name: string, fault: Fault): CodexLogin {
  const secret = optionalText(file, name, fault)
  if (!secret) return { kind: 'none' }
  return { kind, secret: oneWord(secret, name, fault) }
}

function chatGptLogin(file: Fields, fault: Fault): CodexLogin {
  const { tokens } = file
  if (tokens === undefined || tokens === null) return { kind: 'none' }
  if (!isObject(tokens)) throw fault('has tokens that are no object')
  const text = (name: string): string => {
    const value = optionalText(tokens, name, fault)
    if (value === undefined) throw fault(`has no ${name}`)
    return value
  }
  const [refreshToken, accountId] = [text('refresh_token'), optionalText(tokens, 'account_id', fault)]
  return {
    kind: 'chatgpt',
    idToken: oneWord(text('id_token'), 'id_token', fault),
    accessToken: oneWord(text('access_token'), 'access_token', fault),
    refreshToken: refreshToken && oneWord(refreshToken, 'refresh_token', fault),
    accountId: accountId && oneWord(accountId, 'account_id', fault),
    provenance: provenance(tokens, fault),
    ownerId: optionalText(tokens, 'login_owner_id', fault),
    lastRefresh: time(optionalText(file, 'last_refresh', fault)),
  }
}

function provenance(tokens: Fields, fault: Fault): CodexChatGptLogin['provenance'] {
  const { oauth_provenance: from } = tokens
  if (from === undefined || from === null) return undefined
  if (!isObject(from)) throw fault('has an oauth_provenance that is no object')
  const [issuer, clientId] = [optionalText(from, 'issuer', fault), optionalText(from, 'client_id', fault)]
  if (!issuer || !clientId) throw fault('has an oauth_provenance without issuer or client_id')
  return { issuer, clientId }
}

function optionalText(fields: Fields, name: string, fault: Fault): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw fault(`has a value of the wrong kind for ${name}`)
  return value
}

/** A token goes into a header, and onto the one line that `token` prints. */
function oneWord(value: string, name: string, fault: Fault): string {
  if (!/^[\x21-\x7e]+$/.test(value)) throw fault(`has a value that is no token for ${name}`)
  return value
}

/** RFC 3339, as Codex writes it: with nanoseconds. */
function time(text: string | undefined): number | undefined {
  const milliseconds = text === undefined ? Number.NaN : Date.parse(text.replace(/(\.\d{3})\d+/, '$1'))
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000
}

/** What a mode is called is no secret, unless somebody has put one there. */
function shown(mode: string): string {
  return /^[A-Za-z_-]{1,40}$/.test(mode) ? ` (${mode})` : ''
}

function objectIn(text: string): Fields | undefined {
  try {
    // A byte order mark is no part of the text, though Codex takes it for one.
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return isObject(value) ? value : undefined
  } catch {
    // The parser's own message quotes the text, which is made of tokens.
    return undefined
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
