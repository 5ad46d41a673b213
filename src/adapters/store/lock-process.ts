import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { machineId } from './machine-id.ts'

/** Where a process number means something. Whatever the system does not tell is `undefined`. */
export interface Place {
  readonly host: string
  /** A hash of the machine's stable id. */
  readonly machine: string | undefined
  /** Another one after each start of the system. */
  readonly boot: string | undefined
  /** Containers on one machine each have their own process numbers. */
  readonly namespaces: string | undefined
}

/** `start` tells a process from a later one with the same number; compared only with what the same place told. */
export interface Sighting {
  readonly state: 'running' | 'stopped' | 'gone'
  readonly start: string | undefined
}

const linux = process.platform === 'linux'
const GONE: Sighting = { state: 'gone', start: undefined }
const UNSEEN: Sighting = { state: 'running', start: undefined }

/** Where this process runs. It cannot change while the process lives. */
export function here(): Place {
  return (known ??= {
    host: printable(hostname()),
    machine: linux ? hashed(machineId()) : undefined,
    boot: bootId(),
    namespaces: linux ? namespaces() : undefined,
  })
}
let known: Place | undefined

/**
 * Whether a process number recorded there can be looked up from `place`. Without a boot id this is only known on Windows,
 * which has no pid namespaces: two sandboxes that hide `/proc` look alike, and neither sees the other's processes.
 */
export function sharesProcesses(there: Place, place: Place, platform = process.platform): boolean {
  if (platform === 'win32') return there.boot === undefined && there.host === place.host
  if (there.boot === undefined || there.boot !== place.boot) return false
  if (platform === 'linux' && there.namespaces === undefined) return false
  return there.namespaces === place.namespaces
}

/**
 * Whether that place was shut down after `lastBeat`, in epoch milliseconds: `place` is the same machine, started since.
 * Name and time have to agree as well, since copies of one disk image have the same machine id.
 */
export function hasRestarted(there: Place, place: Place, lastBeat: number): boolean {
  if (there.machine === undefined || there.boot === undefined || place.boot === undefined) return false
  if (there.machine !== place.machine || there.host !== place.host || there.boot === place.boot) return false
  return lastBeat < Date.now() - uptime() * 1000
}

/** What the system knows of a process number, here and now; with a thread's number, of that thread alone. */
export function sight(pid: number, thread?: number): Sighting {
  if (!exists(pid)) return GONE
  if (linux) return ownProcFolder() ? sightInProc(pid, thread) : UNSEEN
  return process.platform === 'win32' ? UNSEEN : sightNowAndThen(pid)
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM is the answer for another user's living process.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * The number of the thread that runs this, where its end is not the end of the process: a worker's. `undefined` also where
 * the system does not tell, so that the process stands for it.
 */
export function workerThread(): number | undefined {
  if (isMainThread || !linux || !ownProcFolder()) return undefined
  const link = told(() => readlinkSync('/proc/thread-self'))
  const [, thread] = /^\d+\/task\/(\d+)$/.exec(link ?? '') ?? []
  return thread === undefined ? undefined : Number(thread)
}

function sightInProc(pid: number, thread: number | undefined): Sighting {
  const stat = told(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  if (stat === undefined || thread === undefined) return stat === undefined ? UNSEEN : parseStat(stat)
  const own = told(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1'))
  return own === undefined ? GONE : parseStat(own)
}

/** `proc_pid_stat(5)`. The second field is a name in parentheses that may itself hold spaces and parentheses. */
export function parseStat(stat: string): Sighting {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return sighting(fields[0], fields[19])
}

/** Letters as in `ps(1)`: a zombie and a process being removed run no more. */
function sighting(state: string | undefined, start: string | undefined): Sighting {
  if (state === undefined || /^[ZXx]/.test(state)) return GONE
  return { state: /^[Tt]/.test(state) ? 'stopped' : 'running', start }
}

/** A `/proc` of another pid namespace, as `unshare --pid` alone leaves it, has other numbers than ours. */
function ownProcFolder(): boolean {
  return (own ??=
    told(() => readFileSync('/proc/self/stat', 'latin1'))?.startsWith(`${process.pid} (`) ?? false)
}
let own: boolean | undefined

/** Letters, digits and signs only, since it is shown to people; no longer than a record has room for. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64)
}

/** Waiters look many times a second, and each look at a living process would be a process of its own. */
function sightNowAndThen(pid: number): Sighting {
  const now = performance.now()
  if (lastLook?.pid !== pid || now - lastLook.at > 1000)
    lastLook = { pid, at: now, sighting: sightWithPs(pid) }
  return lastLook.sighting
}
let lastLook: { pid: number; at: number; sighting: Sighting } | undefined

/** As on macOS and the BSDs. It prints local time, so every process has to ask in the same time zone. */
export function sightWithPs(pid: number): Sighting {
  const line = told(() => run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)]))
  const [, state, start] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(line ?? '') ?? []
  return state === undefined ? UNSEEN : sighting(state, start)
}

function bootId(): string | undefined {
  if (linux) return told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())
  if (process.platform !== 'darwin') return undefined
  return told(() => run('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim())
}

/** With a time namespace of its own, a process is told other start times, as `time_namespaces(7)` says. */
function namespaces(): string | undefined {
  const pid = told(() => readlinkSync('/proc/self/ns/pid'))
  if (pid === undefined) return undefined
  return `${pid} ${told(() => readlinkSync('/proc/self/ns/time')) ?? ''}`.trimEnd()
}

function run(command: string, args: string[]): string {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC0' }
  return execFileSync(command, args, {
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2000,
    env,
  })
}

/** The id must not be shown to others as it is: `machine-id(5)`. */
function hashed(id: string | undefined): string | undefined {
  return id && createHash('sha256').update(`codex-auth lock ${id}`).digest('hex').slice(0, 16)
}

function told<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    // That the system does not tell is an answer, and then the heartbeat decides.
    return undefined
  }
}
