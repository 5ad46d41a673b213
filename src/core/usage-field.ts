export type Fields = Readonly<Record<string, unknown>>

/** Beyond any count of seconds or percent that makes sense; milliseconds are told from seconds by it as well. */
const LARGEST = 1e11

/** `undefined`: no JSON object. */
export function objectIn(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** A number, also as some gateways write it: `"42.5"`, `"42 %"`. Never negative. `undefined`: none that makes sense. */
export function numberIn(value: unknown): number | undefined {
  const written =
    typeof value === 'string' ? /^\s*(\d{1,15}(?:\.\d{1,15})?)\s*%?\s*$/.exec(value)?.[1] : value
  const number = typeof written === 'string' ? Number(written) : written
  if (typeof number !== 'number' || !Number.isFinite(number) || number >= LARGEST) return undefined
  return Math.max(0, number)
}

/** One short line that a terminal can show as it is; a number is one as well. `undefined`: nothing to show. */
export function textIn(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value
  if (typeof text !== 'string') return undefined
  const line = text
    .slice(0, 1000)
    .replaceAll(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim()
  return /^.{1,60}/u.exec(line)?.[0]
}
