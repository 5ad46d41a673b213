import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Environment } from '../whereabouts.ts'
import { startApplication } from './application.ts'
import { withAddress, type BrowserCommand } from './command.ts'
import { start } from './start.ts'

/** Opens the address with one command. `false`: it could not be started, or failed at once. */
export async function startCommand(
  { text, words }: BrowserCommand,
  url: string,
  env: Environment,
  platform: NodeJS.Platform,
): Promise<boolean> {
  const filled = isProgram(text) ? [text, url] : withAddress(words, url)
  const outcome = await start(filled, { env, ...awayFromCurrentFolder(filled, env, platform) })
  if (outcome !== 'missing') return outcome === 'started'
  return (await startApplication(text, url, env, platform)) === 'started'
}

/** A path with spaces is often written without quotes, as `C:\Program Files\…` is. */
function isProgram(text: string): boolean {
  try {
    return isAbsolute(text) && statSync(text).isFile()
  } catch {
    // Then it is several words, or starting it fails.
    return false
  }
}

/** Windows looks for a program in the current folder first, and what lies there may be anybody's. */
function awayFromCurrentFolder(
  [program = '']: readonly string[],
  env: Environment,
  platform: NodeJS.Platform,
): { cwd?: string | undefined } {
  return platform === 'win32' && !/[\\/]/.test(program) ? { cwd: env['SystemRoot'] } : {}
}
