import type { Context, GlobalFlags } from './context.ts'

/**
 * One line at the foot of a terminal that is written over, and only with something new: a screen reader says it each time.
 * Elsewhere, where a terminal cannot do that, and where the line is one that somebody types at another job, it says nothing.
 */
export function statusLine(
  context: Pick<Context, 'columns' | 'env' | 'isInBackground' | 'isTerminal' | 'stderr'>,
  flags: Pick<GlobalFlags, 'quiet'>,
) {
  const isShown = context.isTerminal && !flags.quiet && context.env['TERM'] !== 'dumb'
  let shown: string | undefined
  return {
    /** The first of these that the terminal is wide enough for. */
    show: (...texts: readonly [string, ...string[]]): void => {
      if (!isShown) return
      if (context.isInBackground()) return void (shown = undefined)
      const width = context.columns - 1
      const line = texts.find(({ length }) => length <= width) ?? texts[0].slice(0, width)
      if (line === shown) return
      shown = line
      context.stderr(`\r\u001b[K${line}`)
    },
    clear: (): void => {
      if (shown !== undefined && !context.isInBackground()) context.stderr('\r\u001b[K')
      shown = undefined
    },
  }
}
