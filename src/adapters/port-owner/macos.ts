import type { PortOwner } from '../port-owner.ts'
import { printable } from '../store/lock-process.ts'
import { run } from './run.ts'

/** `lsof(8)`, told to look up no names of hosts or ports. */
export async function ownerFromLsof(
  port: number,
  signal: AbortSignal,
  lsof = '/usr/sbin/lsof',
): Promise<PortOwner | undefined> {
  return parseLsof(await run(lsof, ['-nP', '-w', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], signal))
}

/** The first process in the output of `lsof -Fpc`. Signs that cannot be printed are escaped there, spaces as well. */
export function parseLsof(output: string): PortOwner | undefined {
  const [, pid, name] = /^p(\d+)\n(?:c(.*)$)?/m.exec(output) ?? []
  if (pid === undefined) return undefined
  const decoded = name?.replaceAll(/\\x([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(parseInt(code, 16)),
  )
  return { pid: Number(pid), command: decoded && printable(decoded) }
}
