import type { Readable } from 'node:stream'
import { isInBackground } from './terminal-signal.ts'

/** Milliseconds between two looks whether a shell's `fg` has brought the terminal back: it need not send a signal. */
const LOOK = 200

/**
 * Reads a terminal only in its foreground: the system stops whoever reads it from behind, and with it a sign-in that the
 * browser would have finished. A process is moved there only while it is stopped, so SIGCONT tells. Returns how to end this.
 */
export function readInForeground(stdin: Readable): () => void {
  let next: NodeJS.Timeout | undefined
  const follow = (): void => {
    clearTimeout(next)
    if (isInBackground()) {
      stdin.pause()
      next = setTimeout(follow, LOOK)
    } else stdin.resume()
  }
  process.on('SIGCONT', follow)
  follow()
  return () => {
    clearTimeout(next)
    process.off('SIGCONT', follow)
  }
}
