/** The JSON object that a text holds. Never throws; `undefined`: it holds none. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    // The parser's message quotes the text, so nothing of it is passed on.
    return undefined
  }
}

/** `undefined` for whatever is not a JSON object, arrays and `null` included. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? value : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
