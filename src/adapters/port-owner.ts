import { ownerInProc } from './port-owner/linux.ts'
import { ownerFromLsof } from './port-owner/macos.ts'
import { ownerFromNetstat } from './port-owner/windows.ts'

/** The process that listens on a port. */
export interface PortOwner {
  readonly pid: number
  /** Its program, for people. `undefined`: not known in time. */
  readonly command: string | undefined
}

/** May reject; the signal says that nobody waits for it any more. */
export type FindPortOwner = (port: number, signal: AbortSignal) => Promise<PortOwner | undefined>

/** Milliseconds. */
const LIMIT = 500

const WAYS: Partial<Record<NodeJS.Platform, FindPortOwner>> = {
  linux: ownerInProc,
  darwin: ownerFromLsof,
  win32: ownerFromNetstat,
}

/**
 * Who listens on this TCP port of this machine, on whatever address. `undefined`: nobody does, or this user may not
 * know, or it was not to be learned within half a second. Never rejects.
 */
export async function portOwner(
  port: number,
  find: FindPortOwner | undefined = WAYS[process.platform],
): Promise<PortOwner | undefined> {
  const signal = AbortSignal.timeout(LIMIT)
  try {
    return await find?.(port, signal)
  } catch {
    // It is asked for the sake of a message, which then says less.
    return undefined
  }
}
