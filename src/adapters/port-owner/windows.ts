import type { PortOwner } from '../port-owner.ts'
import { printable } from '../store/lock-process.ts'
import { run } from './run.ts'

/** `netstat` and `tasklist`, both at once: each alone may take half of the time there is. */
export async function ownerFromNetstat(
  port: number,
  signal: AbortSignal,
  folder = `${process.env['SystemRoot']}\\System32\\`,
): Promise<PortOwner | undefined> {
  // A name that comes too late is not worth losing the number for.
  const tasks = run(`${folder}tasklist.exe`, ['/FO', 'CSV', '/NH'], signal).catch(() => '')
  const pid = parseNetstat(await run(`${folder}netstat.exe`, ['-ano'], signal), port)
  return pid === undefined ? undefined : { pid, command: parseTasklist(await tasks, pid) }
}

/** A foreign address without a port means that it listens; the word for that depends on the language of Windows. */
export function parseNetstat(output: string, port: number): number | undefined {
  for (const line of output.split('\n')) {
    const [, local, pid] = /^\s*TCP\s+\S+:(\d+)\s+\S+:0\s.*?(\d+)\s*$/.exec(line) ?? []
    if (Number(local) === port) return Number(pid)
  }
  return undefined
}

export function parseTasklist(output: string, pid: number): string | undefined {
  const [, name] = new RegExp(`^"([^"]+)","${pid}",`, 'm').exec(output) ?? []
  return name && printable(name)
}
