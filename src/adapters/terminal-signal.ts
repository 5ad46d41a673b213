import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * Whether a signal of the kind that a terminal sends (SIGINT, SIGQUIT, SIGWINCH) came from there just now. A terminal
 * sends it to everyone in its foreground, so our child has it already; a second one means "at once" to many programs.
 */
export function cameFromTerminal(): boolean {
  const stat = ownStat()
  // Elsewhere than on Linux: somebody sits there, so it was most likely them.
  if (stat === undefined) return [0, 1, 2].some((descriptor) => isatty(descriptor))
  return isInForeground(stat)
}

/** `/proc/<pid>/stat` (proc(5)); the program's name in parentheses may hold anything. */
export function isInForeground(stat: string): boolean {
  const [, , group, , terminal, foreground] = fieldsAfterName(stat)
  return terminal !== '0' && group === foreground
}

/** Whether this process belongs to a terminal whose foreground is another's. Elsewhere than on Linux, this is not known. */
export function isInBackground(stat = ownStat()): boolean {
  return stat !== undefined && hasTerminal(stat) && !isInForeground(stat)
}

function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function hasTerminal(stat: string): boolean {
  return fieldsAfterName(stat)[4] !== '0'
}

function ownStat(): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readFileSync('/proc/self/stat', 'latin1')
  } catch {
    return undefined
  }
}
