import { AuthError } from '../errors.ts'
import type { Credential } from './credential.ts'
import { isTable, type TomlTable } from './toml-value.ts'

/** The name of our provider among Codex's, and of its table in `model_providers`. */
export const PROVIDER_ID = 'codex-auth'

/** Seconds after which `token` answers at the latest, as Codex is told to call it. */
const ANSWERS_WITHIN = 4

/**
 * Milliseconds after which Codex ends the call. It counts the start of the process too, which on a machine under load
 * takes a second or more before our own clock of {@link ANSWERS_WITHIN} is looked at for the first time.
 */
const PATIENCE_OF_CODEX = 10_000n

/** How another program calls this one: an absolute path, and words that come before all others. */
export interface OwnCommand {
  readonly path: string
  readonly words: readonly string[]
}

export interface CodexProvider {
  readonly credential: Credential
  readonly profile: string
  readonly command: OwnCommand
  /** Where the token is accepted. `undefined`: nobody knows. */
  readonly baseUrl: string | undefined
  /** The account is bound to FedRAMP, which OpenAI wants to be told. */
  readonly isFedRamp: boolean
}

/** What {@link codexProvider} decides; any other key in the table is a person's. */
export const OWN_KEYS: ReadonlySet<string> = new Set(['name', 'base_url', 'wire_api', 'http_headers', 'auth'])

/**
 * The table that makes Codex ask us for its token. The profile is always named: the account's header belongs to it, so
 * another profile chosen later must not change whose token is sent.
 * @throws {AuthError} `usage` when nobody but the person knows where the token is accepted.
 */
export function codexProvider(provider: CodexProvider): TomlTable {
  const { profile, command } = provider
  const url = provider.baseUrl
  if (url === undefined) {
    throw new AuthError('usage', 'This login is of no provider whose API address is known.', {
      nextStep: 'name the address: codex-auth setup codex --base-url https://api.example.com/v1',
    })
  }
  const headers = accountHeaders(provider)
  return {
    name: PROVIDER_ID,
    base_url: url,
    wire_api: 'responses',
    ...(Object.keys(headers).length > 0 && { http_headers: headers }),
    auth: {
      command: command.path,
      args: [...command.words, 'token', '--profile', profile, '--timeout', `${ANSWERS_WITHIN}s`],
      timeout_ms: PATIENCE_OF_CODEX,
    },
  }
}

/** Header names as Codex itself writes them; it compares them without regard to case. */
const ACCOUNT = 'ChatGPT-Account-ID'
const FEDRAMP = 'X-OpenAI-Fedramp'

/** An API key names its own account. */
function accountHeaders({ credential, isFedRamp }: CodexProvider): Record<string, string> {
  if (credential.provider !== 'openai' || credential.method === 'api_key') return {}
  const { id } = credential.account
  return { ...(id !== undefined && { [ACCOUNT]: id }), ...(isFedRamp && { [FEDRAMP]: 'true' }) }
}

/** Codex refuses these beside a command, and each of them is another way to authenticate. */
const OTHER_WAYS = new Set([
  'env_key',
  'env_key_instructions',
  'experimental_bearer_token',
  'requires_openai_auth',
])
const OURS = new Set([ACCOUNT, FEDRAMP].map((name) => name.toLowerCase()))

/** Our table with what a person has added to it, such as retries or a header of their own. */
export function withAdditions(wanted: TomlTable, present: TomlTable | undefined): TomlTable {
  if (present === undefined) return wanted
  const { auth, http_headers: headers, ...others } = present
  return {
    ...wanted,
    ...merged('http_headers', wanted, without(OURS, tableOf(headers))),
    ...merged('auth', wanted, tableOf(auth)),
    ...without(new Set([...OTHER_WAYS, ...Object.keys(wanted)]), others),
  }
}

function merged(name: string, wanted: TomlTable, added: TomlTable): TomlTable {
  const table = { ...added, ...tableOf(wanted[name]) }
  return Object.keys(table).length > 0 ? { [name]: table } : {}
}

function without(names: ReadonlySet<string>, table: TomlTable): TomlTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !names.has(name.toLowerCase())))
}

function tableOf(value: TomlTable[string] | undefined): TomlTable {
  return isTable(value) ? value : {}
}
