import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import { isProfileName } from '../../core/profile-name.ts'
import type { Announcement, OtherSignIn, SignInProgress, SignIns } from '../../core/ports.ts'
import { makePrivateFolder, replaceFile } from './durable-file.ts'
import { here, sharesProcesses, sight, type Place, type Sighting } from './lock-process.ts'
import { readPrivateFile } from './private-file.ts'
import { profilesFolder } from './sealed-file.ts'

const LIMIT = 4096

/** Milliseconds between two looks whether another sign-in has taken this one's place. */
const LOOK = 100

interface Marker extends SignInProgress {
  /** Tells the sign-in from any other: in two containers, both may have the same process number. */
  readonly id: string
  readonly port: number | undefined
  /** Tells the process from a later one with the same number. */
  readonly start: string | undefined
  readonly place: Place
}

/**
 * A small file beside the credential says that a sign-in is waiting, and which process waits. Whoever may remove the file
 * may end the sign-in: nobody else can, since nothing on the network listens for it.
 */
export function signInMarkers(root: string, now: () => number): SignIns {
  const path = (profile: string): string => join(profilesFolder(root), `${profile}.login`)
  const asked: Marker[] = []
  return {
    begin: (profile, method, port) => {
      makePrivateFolder(profilesFolder(root))
      const { pid } = process
      const marker: Marker = {
        id: randomUUID(),
        pid,
        since: Math.floor(now()),
        method,
        port,
        start: sight(pid).start,
        place: here(),
      }
      replaceFile(path(profile), Buffer.from(JSON.stringify(marker)))
      return announcement(path(profile), marker.id)
    },
    current: (profile) => {
      const marker = living(path(profile))
      return marker && { pid: marker.pid, since: marker.since, method: marker.method }
    },
    takeOver: (matches) => {
      for (const { profile, marker } of others(root)) {
        if (!matches({ ...marker, profile })) continue
        remove(path(profile))
        asked.push(marker)
      }
      return asked.some(isEnding)
    },
  }
}

function announcement(path: string, id: string): Announcement {
  const taken = new AbortController()
  const timer = setInterval(() => {
    if (!isTaken(path, id)) return
    clearInterval(timer)
    taken.abort(new AuthError('taken_over', 'Another sign-in was started and took the place of this one.'))
  }, LOOK)
  return {
    takenOver: taken.signal,
    end: () => {
      clearInterval(timer)
      // A later sign-in has put its own marker there: that one stays.
      if (parse(read(path))?.id === id) remove(path)
    },
  }
}

/** A disk that fails for a moment says nothing of another sign-in. */
function isTaken(path: string, id: string): boolean {
  const text = read(path)
  if (text === undefined) return true
  const marker = parse(text)
  return marker !== undefined && marker.id !== id
}

/** A marker that stays tells of nothing as soon as its process has ended. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

function others(root: string): { profile: string; marker: Marker }[] {
  const folder = profilesFolder(root)
  return list(folder)
    .filter((name) => name.endsWith('.login') && isProfileName(name.slice(0, -'.login'.length)))
    .flatMap((name) => {
      const marker = living(join(folder, name))
      return marker === undefined ? [] : [{ profile: name.slice(0, -'.login'.length), marker }]
    })
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return []
  }
}

function living(path: string): Marker | undefined {
  const marker = parse(read(path))
  return marker !== undefined && isAlive(marker) ? marker : undefined
}

function isAlive(marker: Marker): boolean {
  return stateOf(marker) !== 'gone'
}

/** One that is stopped ends when it goes on, which may be never. */
function isEnding(marker: Marker): boolean {
  return stateOf(marker) === 'running'
}

function stateOf(marker: Marker): Sighting['state'] {
  if (!sharesProcesses(marker.place, here())) return 'gone'
  const { state, start } = sight(marker.pid)
  return start === undefined || marker.start === undefined || start === marker.start ? state : 'gone'
}

const METHODS: readonly unknown[] = ['browser', 'device_code'] satisfies OtherSignIn['method'][]

/** `undefined` for anything but a whole marker: it only informs, so one that cannot be read informs of nothing. */
function parse(text = ''): Marker | undefined {
  const value = json(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { id, pid, since, method, port, place } = value as Partial<Record<keyof Marker, unknown>>
  if (!isNumber(pid, 1, 0x7fffffff) || !isNumber(since, 0, 1e11) || !METHODS.includes(method))
    return undefined
  if (port !== undefined && !isNumber(port, 1, 65_535)) return undefined
  if (typeof id !== 'string' || typeof place !== 'object' || place === null) return undefined
  return value as Marker
}

function isNumber(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

/** `undefined`: there is no file. Empty: there is one that cannot be read. */
function read(path: string): string | undefined {
  try {
    return readPrivateFile(path, LIMIT)?.toString()
  } catch (error) {
    if (!(error instanceof AuthError) && (error as NodeJS.ErrnoException).code === undefined) throw error
    return ''
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
