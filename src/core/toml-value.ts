/** What a TOML document can hold; whole numbers as `bigint`, dates as objects that write themselves. */
export type TomlValue = string | number | bigint | boolean | Date | readonly TomlValue[] | TomlTable

export interface TomlTable {
  readonly [key: string]: TomlValue
}

/** What a parser of TOML finds. */
export interface Toml {
  /** @throws {AuthError} `usage` for what is no TOML, naming the line. */
  parse(text: string): TomlTable
  /** Whether two values are the same, whatever the order of keys. */
  same(one: unknown, other: unknown): boolean
}

/** `undefined`: there is no table under this name. */
export function tableIn(table: TomlTable | undefined, name: string): TomlTable | undefined {
  const value = table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
  return isTable(value) ? value : undefined
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A value on one line. */
export function renderValue(value: TomlValue): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') return renderFloat(value)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (!isTable(value)) return `[${value.map(renderValue).join(', ')}]`
  const entries = Object.entries(value)
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, inner]) => `${renderKey(key)} = ${renderValue(inner)}`).join(', ')} }`
}

export function renderKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : quoted(key)
}

/** JSON's escapes are TOML's, but for one character that only TOML wants escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

function renderFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}
