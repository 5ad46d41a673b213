import { createHash, randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { basename } from 'node:path'
import {
  hasRestarted,
  here,
  printable,
  sharesProcesses,
  sight,
  workerThread,
  type Place,
} from './lock-process.ts'

/** The process that made a lock. */
export interface Owner extends Place {
  readonly pid: number
  /** Absent: the process stands for it. */
  readonly thread?: number | undefined
  /** `undefined`: the system does not tell, so the number alone proves nothing. */
  readonly start: string | undefined
  readonly command: string
  /** Epoch seconds. */
  readonly since: number
}

/** A refresh token that a lock's owner was about to send. */
export interface SpendingRecord {
  /** The token's hash, as it was given to `recordSpending`. */
  readonly token: string
  /** Epoch seconds. */
  readonly at: number
  /** `undefined`: the record of who it was is damaged. */
  readonly pid: number | undefined
}

interface OwnerRecord {
  /** `undefined`: damaged, or written by another version. */
  readonly owner: Owner | undefined
  readonly spending: SpendingRecord | undefined
}

export type Liveness = 'running' | 'stopped' | 'dead' | 'unknown'

/** The file has two blocks: the owner, which never changes, and what it spends. */
const BLOCK = 512
const VERSION = 1
// Windows has neither O_NOFOLLOW nor O_NONBLOCK, and needs neither.
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** The owner file of a new lock. Its name is the owner block's hash: no two locks share one, and damage shows. */
export interface OwnerFile {
  readonly name: string
  readonly bytes: Buffer
}

export function ownerFile(owner: Owner = thisProcess()): OwnerFile {
  const bytes = Buffer.alloc(2 * BLOCK, ' ')
  bytes.write(JSON.stringify({ version: VERSION, salt: randomBytes(16).toString('hex'), ...owner }))
  return { name: nameOf(bytes), bytes }
}

export function isOwnerFile(name: string): boolean {
  return /^owner-[0-9a-f]{32}$/.test(name)
}

function nameOf(bytes: Buffer): string {
  return `owner-${createHash('sha256').update(bytes.subarray(0, BLOCK)).digest('hex').slice(0, 32)}`
}

function thisProcess(): Owner {
  const thread = workerThread()
  return {
    ...here(),
    pid: process.pid,
    ...(thread !== undefined && { thread }),
    start: sight(process.pid, thread).start,
    command: commandName(process.argv),
    since: Date.now() / 1000,
  }
}

/** The program and, where it is ours, the subcommand. Other arguments could be secret. */
export function commandName([, program = 'node', subcommand = '']: readonly string[]): string {
  const name = basename(program)
  const ours = /^codex-auth(\.\w+)?$/.test(name) && /^[a-z]{2,12}$/.test(subcommand)
  return printable(ours ? `${name} ${subcommand}` : name)
}

/**
 * Reads an owner file; nothing put in its place can make this hang or fail.
 * `undefined`: it is not there any more.
 */
export function readOwnerFile(path: string, name: string): OwnerRecord | undefined {
  const bytes = readBlocks(path)
  if (bytes === undefined) return undefined
  const owner =
    bytes.length === 2 * BLOCK && nameOf(bytes) === name ? parseOwner(bytes.subarray(0, BLOCK)) : undefined
  return { owner, spending: parseSpending(bytes.subarray(BLOCK), owner?.pid) }
}

function readBlocks(path: string): Buffer | undefined {
  let descriptor: number | undefined
  try {
    // A FIFO would hang an open that waits; a link could lead anywhere.
    descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    if (!fstatSync(descriptor).isFile()) return Buffer.alloc(0)
    const bytes = Buffer.alloc(2 * BLOCK + 1)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // Whatever else keeps it from being read, the owner is unknown.
    return Buffer.alloc(0)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/**
 * Records what the owner is about to spend, durably. One write within the second block: it cannot tear the first, and
 * does not touch the folder's modification time, which is the heartbeat.
 * `false`: the file is gone, so the lock is lost.
 */
export function writeSpending(path: string, token: string, at: number): boolean {
  const block = Buffer.alloc(BLOCK, ' ')
  block.write(JSON.stringify({ token, at }))
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
    writeSync(descriptor, block, 0, BLOCK, BLOCK)
    fsyncSync(descriptor)
    // Removed by hand since it was opened: the record is written where nobody will find it.
    return fstatSync(descriptor).nlink > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/**
 * `dead` is certain and can never become wrong again; `unknown` leaves it to the heartbeat, of which the last came at
 * `lastBeat`, in epoch milliseconds.
 */
export function liveness(owner: Owner, lastBeat: number): Liveness {
  const place = here()
  if (!sharesProcesses(owner, place)) return hasRestarted(owner, place, lastBeat) ? 'dead' : 'unknown'
  const { state, start } = sight(owner.pid, owner.thread)
  if (state === 'gone') return 'dead'
  // A number without a start time may be a later process's by now: if it counted as alive, the lock could stay for ever.
  if (start === undefined || owner.start === undefined) return 'unknown'
  return start === owner.start ? state : 'dead'
}

function parseOwner(block: Buffer): Owner | undefined {
  const { version, pid, thread, command, since, host, start, machine, boot, namespaces } = parseObject(block)
  if (version !== VERSION || !isPid(pid) || !isText(command) || !isTime(since) || !isText(host))
    return undefined
  if (
    !isOptionalText(start) ||
    !isOptionalText(machine) ||
    !isOptionalText(boot) ||
    !isOptionalText(namespaces)
  ) {
    return undefined
  }
  const owner = { pid, start, command, since, host, machine, boot, namespaces }
  return isPid(thread) ? { ...owner, thread } : owner
}

function parseSpending(block: Buffer, pid: number | undefined): SpendingRecord | undefined {
  const { token, at } = parseObject(block)
  return isText(token) && isTime(at) ? { token, at, pid } : undefined
}

function parseObject(block: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(block.toString('utf8'))
    return isObject(value) ? value : {}
  } catch {
    // Not written yet, or torn: no field is known.
    return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0x7fffffff
}

/** Epoch seconds, within what a date can be made of. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e11
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{1,128}$/.test(value)
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}
