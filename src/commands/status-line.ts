import type { Context, GlobalFlags } from './context.ts'

/**
 * One line at the foot of a terminal that is written over, and only with something new: a screen reader says it each time.
 * Elsewhere, and where a terminal cannot do that, it says nothing.
 */
export function statusLine(
  context: Pick<Context, 'columns' | 'env' | 'isTerminal' | 'stderr'>,
  flags: Pick<GlobalFlags, 'quiet'>,
) {
  const isShown = context.isTerminal && !flags.quiet && context.env['TERM'] !== 'dumb'
  let shown: string | undefined
  return {
    show: (text: string): void => {
      const line = text.slice(0, context.columns - 1)
      if (!isShown || line === shown) return
      shown = line
      context.stderr(`\r\u001b[K${line}`)
    },
    clear: (): void => {
      if (shown !== undefined) context.stderr('\r\u001b[K')
      shown = undefined
    },
  }
}
