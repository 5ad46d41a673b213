/** RFC 3339 in UTC, without fractions. `null` for a time that is not known, or that RFC 3339 has no form for. */
export function timestamp(seconds: number | undefined): string | null {
  const date = new Date(Math.floor(seconds ?? Number.NaN) * 1000)
  const year = date.getUTCFullYear()
  return year >= 0 && year <= 9999 ? date.toISOString().replace('.000Z', 'Z') : null
}
