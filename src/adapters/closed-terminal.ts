import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'

const STANDARD = [0, 1, 2]

/**
 * Lets the process end in its own way when its terminal has been closed. Node, which cannot set such a terminal back at the
 * end, would abort, with a dump of its memory, and the tokens in it, wherever the system keeps those: a descriptor that is
 * no terminal any more is closed before.
 */
export function outliveTerminal(): void {
  const terminals = STANDARD.filter((descriptor) => isatty(descriptor))
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) close(descriptor)
  })
}

function close(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch (error) {
    // It was closed by others already.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}
