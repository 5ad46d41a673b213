/** Epoch seconds of an HTTP date (RFC 9110, section 5.6.7). `undefined` for any text that is not in its one form. */
export function httpDate(text: string | undefined): number | undefined {
  // `Date.parse` alone makes a date of almost anything.
  if (text === undefined || !/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const milliseconds = Date.parse(text)
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000
}
