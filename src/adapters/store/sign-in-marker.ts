import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import type { SignInProgress, SignIns } from '../../core/ports.ts'
import { makePrivateFolder, replaceFile } from './durable-file.ts'
import { here, sharesProcesses, sight, type Place } from './lock-process.ts'
import { readPrivateFile } from './private-file.ts'
import { profilesFolder } from './sealed-file.ts'

const LIMIT = 4096

interface Marker extends SignInProgress {
  /** Tells the process from a later one with the same number. */
  readonly start: string | undefined
  readonly place: Place
}

/** A small file beside the credential says that a sign-in is waiting, and which process waits. */
export function signInMarkers(root: string, now: () => number): SignIns {
  const path = (profile: string): string => join(profilesFolder(root), `${profile}.login`)
  return {
    begin: (profile, method) => {
      makePrivateFolder(profilesFolder(root))
      const { pid } = process
      const marker: Marker = { pid, since: Math.floor(now()), method, start: sight(pid).start, place: here() }
      replaceFile(path(profile), Buffer.from(JSON.stringify(marker)))
      return () => end(path(profile))
    },
    current: (profile) => current(path(profile)),
  }
}

/**
 * A later sign-in has put its own marker there: that one stays. Never fails, since the sign-in is over by then, and a
 * marker that could not be removed tells of nothing as soon as this process has ended.
 */
function end(path: string): void {
  if (parse(path)?.pid !== process.pid) return
  try {
    rmSync(path, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

function current(path: string): SignInProgress | undefined {
  const marker = parse(path)
  if (marker === undefined || !sharesProcesses(marker.place, here())) return undefined
  const { state, start } = sight(marker.pid)
  if (state === 'gone' || (start !== undefined && marker.start !== undefined && start !== marker.start))
    return undefined
  return { pid: marker.pid, since: marker.since, method: marker.method }
}

/** `undefined` for anything but a whole marker: it only informs, so one that cannot be read informs of nothing. */
function parse(path: string): Marker | undefined {
  const value = json(read(path))
  if (typeof value !== 'object' || value === null) return undefined
  const { pid, since, method, place } = value as Partial<Record<keyof Marker, unknown>>
  if (!isNumber(pid, 1, 0x7fffffff) || !isNumber(since, 0, 1e11) || method !== 'browser') return undefined
  if (typeof place !== 'object' || place === null) return undefined
  return value as Marker
}

function isNumber(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

function read(path: string): string {
  try {
    return readPrivateFile(path, LIMIT)?.toString() ?? ''
  } catch (error) {
    if (error instanceof AuthError) return ''
    throw error
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
