import { AuthError } from '../errors.ts'
import { parseDuration } from './duration.ts'
import { isProfileName, profileName } from './profile-name.ts'
import { baseAddress } from './safe-address.ts'

/** What the settings file may hold; nothing in it is secret. An absent one has its default. */
export interface Settings {
  /** The profile used when neither flag nor environment names one. */
  readonly profile?: string
  readonly provider?: 'openai' | 'oidc'
  readonly issuer?: string
  readonly client_id?: string
  readonly scopes?: readonly string[]
  /** Ports for the redirect, tried in this order. */
  readonly ports?: readonly number[]
  readonly redirect_host?: 'localhost' | '127.0.0.1'
  readonly key_source?: 'file'
  /** The program that opens the address, or `none` to only print it. */
  readonly browser?: string
  /** Seconds to wait for another process that holds a profile's lock. */
  readonly lock_wait?: number
  /** Where ChatGPT's access tokens are accepted, for a stand-in or a gateway. */
  readonly chatgpt_base_url?: string
  /** Where API keys are accepted. */
  readonly openai_base_url?: string
}

export type SettingName = keyof Settings
export type SettingValue = string | number | readonly string[] | readonly number[]

interface Kind {
  /** How a value is written on the command line. */
  readonly form: string
  /** @throws or returns `undefined` for a value of another form. */
  parse(text: string): SettingValue | undefined
  /** Whether a value read from the file is of this kind. */
  accepts(value: unknown): boolean
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536

/** A password in it would rest in a file that is meant for none. Which issuers may be used is decided where they are used. */
function isAddress(value: unknown): value is string {
  if (!isText(value) || !URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

function choice(...options: readonly string[]): Kind {
  return {
    form: options.join(' or '),
    parse: (text) => options.find((option) => option === text),
    accepts: (value) => options.some((option) => option === value),
  }
}

/** Tokens are sent there, so the rule is that of an issuer. */
function bearerAddress(example: string): Kind {
  return {
    form: `an https address, as in ${example} (http only for 127.0.0.1, [::1] and localhost)`,
    parse: baseAddress,
    accepts: (value) => isText(value) && baseAddress(value) !== undefined,
  }
}

const text = (form: string): Kind => ({ form, parse: (value) => value || undefined, accepts: isText })

const KINDS: Record<SettingName, Kind> = {
  profile: {
    form: 'a profile name, as in work',
    parse: profileName,
    accepts: (value) => isText(value) && isProfileName(value),
  },
  provider: choice('openai', 'oidc'),
  issuer: {
    form: 'an address without a user or password, as in https://auth.example.com',
    parse: (value) => (isAddress(value) ? value : undefined),
    accepts: isAddress,
  },
  client_id: text('the client id registered at the provider'),
  scopes: {
    form: 'scopes separated by spaces, as in "openid offline_access"',
    parse: (value) => words(value),
    accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  },
  ports: {
    form: 'port numbers separated by spaces or commas, as in 1455,1457 (0 is any free port)',
    parse: (value) => {
      const ports = words(value)?.map((word) => (/^\d{1,5}$/.test(word) ? Number(word) : undefined))
      return ports?.every(isPort) ? ports : undefined
    },
    accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isPort),
  },
  redirect_host: choice('localhost', '127.0.0.1'),
  key_source: choice('file'),
  browser: text('a program, as in firefox, or none to only print the address'),
  lock_wait: {
    form: 'a duration, as in 30s',
    parse: parseDuration,
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  },
  chatgpt_base_url: bearerAddress('https://chatgpt.com/backend-api'),
  openai_base_url: bearerAddress('https://api.openai.com/v1'),
}

export const SETTING_NAMES = Object.keys(KINDS) as readonly SettingName[]

function words(value: string): string[] | undefined {
  const found = value.split(/[\s,]+/).filter((word) => word !== '')
  return found.length > 0 ? found : undefined
}

/** `client-id` is the same as `client_id`. @throws {AuthError} `usage`, with all names. */
export function settingName(name: string): SettingName {
  const found = SETTING_NAMES.find((candidate) => candidate === name.replaceAll('-', '_'))
  if (found !== undefined) return found
  throw new AuthError('usage', `There is no setting ${JSON.stringify(name.slice(0, 40))}.`, {
    nextStep: `choose one of: ${SETTING_NAMES.join(', ')}`,
  })
}

const ADDRESSES: ReadonlySet<SettingName> = new Set(['issuer', 'chatgpt_base_url', 'openai_base_url'])

/** Reads a setting as written on the command line. @throws {AuthError} `usage`, with the right form. */
export function parseSetting(name: SettingName, value: string): SettingValue {
  const parsed = KINDS[name].parse(value)
  if (parsed !== undefined) return parsed
  // An address may hold a password.
  const shown = ADDRESSES.has(name) ? 'This' : JSON.stringify(value.slice(0, 80))
  throw new AuthError('usage', `${shown} is no value for ${name}.`, {
    nextStep: `${name} is ${KINDS[name].form}`,
  })
}

/** A setting as it is written on the command line. */
export function formatSetting(value: SettingValue): string {
  return typeof value === 'object' ? value.join(' ') : String(value)
}

/**
 * Reads the settings file's content; settings of a later version are left alone.
 * @throws {AuthError} `settings_corrupt`, naming the file, and the setting where it is one.
 */
export function parseSettings(json: string, path: string): Settings {
  const value = parseSettingsObject(json, path)
  for (const name of SETTING_NAMES) {
    if (value[name] !== undefined && !KINDS[name].accepts(value[name])) {
      throw new AuthError('settings_corrupt', `The setting ${name} in ${path} must be ${KINDS[name].form}.`, {
        nextStep: `codex-auth config unset ${name}`,
      })
    }
  }
  return value
}

/** Reads the settings file's content, whatever the values in it. @throws as {@link parseSettings}. */
export function parseSettingsObject(json: string, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new AuthError('settings_corrupt', `The settings file ${path} is not valid JSON.`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new AuthError('settings_corrupt', `The settings file ${path} must hold one JSON object.`)
}
