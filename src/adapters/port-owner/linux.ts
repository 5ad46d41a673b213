import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { PortOwner } from '../port-owner.ts'
import { printable } from '../store/lock-process.ts'

/** `proc(5)`: the table of sockets tells the inode of the one that listens, and some process has it open. */
export async function ownerInProc(
  port: number,
  signal: AbortSignal,
  proc = '/proc',
): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readText(join(proc, 'net', name))))
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)))
  if (sockets.size === 0) return undefined
  for (const pid of await processes(proc)) {
    signal.throwIfAborted()
    if (await holdsAny(join(proc, String(pid), 'fd'), sockets)) {
      return { pid, command: await commandOf(join(proc, String(pid))) }
    }
  }
  return undefined
}

/** The sockets that listen on this port, as links in `/proc/<pid>/fd` name them. */
export function listeningSockets(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix))
    .map((fields) => `socket:[${fields[9]}]`)
}

const LISTEN = '0A'

/** Lowest first: of a server and its workers, that is the server. */
async function processes(proc: string): Promise<number[]> {
  const names = await readdir(proc)
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b)
}

async function holdsAny(folder: string, sockets: ReadonlySet<string>): Promise<boolean> {
  // Another user's cannot be listed, nor those of a process that has just ended.
  const names = await readdir(folder).catch(() => [])
  const links = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')))
  return links.some((link) => sockets.has(link))
}

async function commandOf(folder: string): Promise<string | undefined> {
  const program = await readlink(join(folder, 'exe')).catch(() => undefined)
  return program && programName(program, await readText(join(folder, 'cmdline')))
}

/** The program, and for one that runs scripts, the script. Other arguments could be secret. */
export function programName(program: string, commandLine: string): string {
  const name = basename(program.replace(/ \(deleted\)$/, ''))
  const [, script = ''] = commandLine.split('\0')
  const named = RUNS_SCRIPTS.test(name) && script !== '' && !script.startsWith('-')
  return printable(named ? `${name} ${basename(script)}` : name)
}

const RUNS_SCRIPTS = /^(?:node|nodejs|bun|deno|python[\d.]*|ruby[\d.]*|perl[\d.]*)$/

/** Empty where there is none, as `tcp6` without IPv6. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}
