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
  const stop = (): void => stopWithout(stdin, stop)
  process.on('SIGCONT', follow)
  process.on('SIGTSTP', stop)
  follow()
  return () => {
    clearTimeout(next)
    process.off('SIGCONT', follow)
    process.off('SIGTSTP', stop)
  }
}

/** After `bg`, what was typed meanwhile would be read before anybody hears of SIGCONT: reading ends before the process stops. */
function stopWithout(stdin: Readable, stop: () => void): void {
  stdin.pause()
  process.off('SIGTSTP', stop)
  // Without a listener it means what it always means; the next line runs when the process goes on.
  process.kill(process.pid, 'SIGTSTP')
  process.on('SIGTSTP', stop)
}
