import { renderUnicodeCompact } from 'uqr'

/** The addresses of one run, and those that the page shows in their place. */
export type Addresses = readonly (readonly [shown: string, settled: string])[]

/** What is shown, with everything that another run would show otherwise made the same for all of them. */
export function settled(shown: string, addresses: Addresses): string {
  let text = shown
  for (const [found, replacement] of addresses) text = text.replaceAll(found, replacement)
  return drawnAgain(
    text
      .replaceAll(/\b(state|code_challenge|nonce|code)=[\w.~-]{20,}/g, '$1=…')
      .replaceAll(/^[\w-]{30,}$/gm, '…')
      .replaceAll(/a-code#\S+/g, 'a-code#…')
      .replaceAll(/(?<=code:\n\n)[A-Z]{4}-[A-Z]{4,5}$/gm, 'WDJB-MJHT')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-12-24T18:00:00Z')
      .replaceAll(/(?<=localhost%3A)\d{5}/g, '40010')
      .replaceAll(/\bpid \d+/g, 'pid 4242'),
  )
}

/** A QR code holds the code beside it; this is the one for what the page shows. */
function drawnAgain(text: string): string {
  const [, page] = /Open this page on any device:\n\n(\S+)/.exec(text) ?? []
  if (page === undefined) return text
  const picture = renderUnicodeCompact(`${page}?user_code=WDJB-MJHT`, { border: 2 })
  return text.replace(/^(?:[█▀▄ ]+\n)+/m, `${picture}\n`)
}
