import { isDeepStrictEqual } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import { AuthError } from '../../errors.ts'
import type { Toml, TomlTable } from '../../core/toml-value.ts'

/** TOML as `smol-toml` reads it. `path` is the document's, for what is said of it. */
export function tomlOf(path: string): Toml {
  return {
    parse: (text) => parseToml(text, path),
    same: (one, other) => isDeepStrictEqual(comparable(one), comparable(other)),
  }
}

function parseToml(text: string, path: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: true })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The parser's own message shows the lines around, which may hold a key.
    const what = `${path} is not valid TOML (line ${error.line}, column ${error.column}); it stays as it is.`
    throw new AuthError('usage', what, { nextStep: `mend line ${error.line} of ${path}, and try again` })
  }
}

/** Tables by their content, whatever made them, and dates by how they are written. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (value instanceof Date) return { date: value.toISOString() }
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([key, inner]) => [key, comparable(inner)]))
}
