import type { Context, Session } from '../commands/context.ts'
import { environmentOf, type CallOptions } from './call.ts'

const nothing = (): void => undefined

/**
 * The commands' world without a person: nothing is printed, asked or read, and no signal of the process is touched.
 * Loaded only when a living token is not enough.
 */
export async function openContext(options: CallOptions, interruption: AbortSignal): Promise<Context> {
  const { systemContext } = await import('../system-context.ts')
  const surroundings = {
    env: environmentOf(options),
    stdout: nothing,
    stderr: nothing,
    stderrIsTerminal: false,
    stdoutIsTerminal: false,
    columns: 80,
    now: () => Date.now() / 1000,
    elapsed: () => 0,
    interruption,
  }
  return systemContext(surroundings, { endWith: nothing, endAs: nothing })
}

/** @throws {AuthError} `usage` for a bad profile name, `settings_corrupt`. */
export function sessionIn(context: Context, { profile }: CallOptions): Promise<Session> {
  return context.session({ ...(profile !== undefined && { profile }), color: false, input: false })
}

export async function openSession(options: CallOptions, interruption: AbortSignal): Promise<Session> {
  return sessionIn(await openContext(options, interruption), options)
}
