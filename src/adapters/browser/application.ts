import type { Environment } from '../whereabouts.ts'
import { start, type Outcome } from './start.ts'

/**
 * Opens the address with an application that is no command: macOS and Windows know those by names of their own, as in
 * "Google Chrome" or "firefox".
 */
export async function startApplication(
  name: string,
  url: string,
  env: Environment,
  platform: NodeJS.Platform,
): Promise<Outcome> {
  if (platform === 'darwin') return start(['open', '-a', name, url], { env })
  if (platform === 'win32') return startRegistered(name, url, env)
  return 'missing'
}

/**
 * PowerShell reads a text that is always the same, and takes name and address from variables, where they cannot be
 * taken for anything else. It does nothing without a console, so it is not detached; hidden is its window, not the browser's.
 */
async function startRegistered(name: string, url: string, env: Environment): Promise<Outcome> {
  const powershell = `${env['SystemRoot']}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`
  return start([powershell, '-NoProfile', '-NonInteractive', '-Command', START_PROCESS], {
    env: { ...env, BROWSER_NAME: name, BROWSER_ARGUMENT: windowsArgument(url) },
    cwd: env['SystemRoot'],
    detached: false,
    windowsHide: true,
  })
}

const START_PROCESS = 'Start-Process -FilePath $env:BROWSER_NAME -ArgumentList $env:BROWSER_ARGUMENT'

/** One argument as `CommandLineToArgvW` reads it back: backslashes count only in front of a quote. */
export function windowsArgument(text: string): string {
  return `"${text.replaceAll(/(\\*)"/g, String.raw`$1$1\"`).replace(/\\+$/, '$&$&')}"`
}
