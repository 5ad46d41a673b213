import type { Context, GlobalFlags } from './context.ts'

/** One line at the foot of a terminal that is written over. Elsewhere, and where a terminal cannot do that, it says nothing. */
export function statusLine(context: Context, flags: GlobalFlags) {
  const isShown = context.isTerminal && !flags.quiet && context.env['TERM'] !== 'dumb'
  let shown = false
  return {
    show: (text: string): void => {
      if (!isShown) return
      shown = true
      context.stderr(`\r\u001b[K${text.slice(0, context.columns - 1)}`)
    },
    clear: (): void => {
      if (shown) context.stderr('\r\u001b[K')
      shown = false
    },
  }
}
