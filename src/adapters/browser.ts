import open, { type Options } from 'open'
import type { Browser } from '../core/ports.ts'

/** Milliseconds. A starter that fails has failed by then; one that is still running is the browser itself. */
const SETTLED = 1500

/**
 * Opens addresses in the person's browser. Nothing the browser prints reaches this program's output.
 * @param program what to open them with instead of the system's default browser.
 */
export function systemBrowser(env: Readonly<Record<string, string | undefined>>, program?: string): Browser {
  return {
    open: async (url) =>
      hasDisplay(env) && start(url, program === undefined ? {} : { app: { name: program } }),
  }
}

async function start(url: string, options: Options): Promise<boolean> {
  try {
    const starter = await open(url, options)
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, SETTLED, true)
      const settle = (worked: boolean): void => {
        clearTimeout(timer)
        resolve(worked)
      }
      starter.once('error', () => settle(false))
      starter.once('exit', (code) => settle(code === 0))
    })
  } catch {
    // Why does not matter: the person opens the address by hand.
    return false
  }
}

/** Without one, the system's opener on Linux would start a text browser that nobody can see. */
function hasDisplay(env: Readonly<Record<string, string | undefined>>): boolean {
  if (process.platform !== 'linux') return true
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'] || env['WSL_DISTRO_NAME'] || env['BROWSER'])
}
