import { Socket } from 'node:net'
import open from 'open'
import type { Browser } from '../core/ports.ts'
import { browserCommand, browserCommands, isShell, type BrowserCommand } from './browser/command.ts'
import { startCommand } from './browser/start-command.ts'
import { outcomeOf } from './browser/start.ts'
import { trace } from './trace.ts'
import {
  hasWindows,
  thisSystem,
  whereabouts,
  type Environment,
  type System,
  type Whereabouts,
} from './whereabouts.ts'

/**
 * Opens web addresses, and nothing else, in the person's browser: with `program`, else with those of `BROWSER` in turn,
 * else, when neither names any, with the system's default. No shell reads the address, and nothing the browser prints
 * reaches this program's output. Waiting for `open` does not keep the process alive, but for the second that it takes the
 * system's own starter on Windows.
 * @param program a command, written as in `BROWSER`; on macOS and Windows an application's name will do.
 */
export function systemBrowser(env: Environment, program = '', system: System = thisSystem): Browser {
  const { platform } = system
  const commands = [...withoutShells(browserCommand(program, platform)), ...fromEnvironment(env, platform)]
  return {
    open: async (url) => {
      // Anything else could be a file of this machine, or an option of the browser.
      if (!/^https?:\/\//i.test(url)) return false
      if (commands.length === 0) return canShow(env, system) && openDefault(url)
      for (const command of commands) {
        if (isNone(command)) return false
        if (await startCommand(command, url, env, platform)) return true
      }
      return false
    },
  }
}

/**
 * Whether the person would see a browser that is started here, or has said that there is one.
 *
 * `BROWSER` decides where it is set, over SSH as well: editors that work on a distant machine set it there to what opens
 * the near one's browser. Without it, none is opened over SSH, but for X11 forwarding (`DISPLAY` names a host): such a
 * browser shows where the person sits, and runs where the redirect goes.
 */
export function shouldOpenBrowser(
  { ssh, wsl, display }: Whereabouts,
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): boolean {
  const [first] = fromEnvironment(env, platform)
  if (first !== undefined) return !isNone(first)
  return ssh ? display && isForwarded(env['DISPLAY'] ?? '') : display || wsl
}

/** `host:10.0`, where a display of this machine is `:0`, `unix:0` or a path. */
function isForwarded(display: string): boolean {
  return /^(?!unix:)[^:/]+:\d|^\[[\da-f:]+\]:\d/i.test(display)
}

function fromEnvironment(env: Environment, platform: NodeJS.Platform): BrowserCommand[] {
  return withoutShells(browserCommands(env['BROWSER'] ?? '', platform))
}

function withoutShells(commands: readonly BrowserCommand[]): BrowserCommand[] {
  return commands.filter((command) => !isShell(command))
}

/** As development servers read `BROWSER=none`: no browser, and no other in its place. */
function isNone({ text }: BrowserCommand): boolean {
  return text.toLowerCase() === 'none'
}

/** Without a screen, the system's opener on Linux would start a text browser that nobody can see. */
function canShow(env: Environment, system: System): boolean {
  const { display, wsl } = whereabouts(env, system)
  return display || wsl || hasWindows(system.platform)
}

async function openDefault(url: string): Promise<boolean> {
  try {
    const starter = await open(url)
    // On macOS these are pipes, which would keep this process until the starter ends.
    for (const stream of starter.stdio) if (stream instanceof Socket) stream.unref()
    const outcome = await outcomeOf(starter)
    trace(() => `the system's browser: ${outcome}`)
    return outcome === 'started'
  } catch {
    trace(() => 'the system has nothing that opens a browser')
    return false
  }
}
