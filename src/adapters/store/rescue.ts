import { createHash } from 'node:crypto'
import { lstatSync, rmSync, type Stats } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AuthError } from '../../errors.ts'
import type { StoredCredential } from '../../core/ports.ts'
import { attemptRead } from '../../core/attempt-read.ts'
import { trace } from '../trace.ts'
import { replaceFile, writing } from './durable-file.ts'
import { ENVELOPE_LIMIT } from './envelope.ts'
import { generationPath, readGeneration, writeGeneration } from './generation.ts'
import { loadFileKey } from './keys/file.ts'
import { readPrivateFile } from './private-file.ts'
import { credentialPath, openSealed, readSealedFile } from './sealed-file.ts'
import { temporariesOf } from './temporary-files.ts'

/*
 * A rescue is a sealed credential that could not take its place although that had been proved possible: the disk failed
 * in between. It waits at a second place until a process can put it where it belongs.
 */

/** Where a rescue may lie, in the order of trying: beside the credential, then in the system's temporary folder. */
export function rescuePaths(root: string, profile: string): readonly string[] {
  const path = credentialPath(root, profile)
  const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16)
  return [`${path}.rescue`, join(tmpdir(), `codex-auth-${process.getuid?.() ?? 'user'}-${name}.rescue`)]
}

/** Keeps a sealed credential at the first place that takes it. `undefined`: none did. */
export function writeRescue(root: string, profile: string, sealed: Uint8Array): string | undefined {
  return rescuePaths(root, profile).find((path) => {
    try {
      replaceFile(path, sealed)
      return true
    } catch (error) {
      if (error instanceof AuthError) return false
      throw error
    }
  })
}

/** Whether there is anything to look at, for the price of asking the file system. */
export function hasRescue(root: string, profile: string): boolean {
  return rescuePaths(root, profile).some(isOurs)
}

/** In the system's temporary folder, anybody may have put a file of that name. */
function isOurs(path: string): boolean {
  const stats = statIfPossible(path)
  return stats !== undefined && stats.uid === (process.getuid?.() ?? stats.uid)
}

function statIfPossible(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}

interface Rescue {
  readonly bytes: Buffer
  readonly stored: StoredCredential
}

/** The newest rescue that can be read. One that cannot is left for a person to look at. */
export function readRescue(root: string, profile: string): StoredCredential | undefined {
  return newestOf(root, profile, rescuePaths(root, profile).filter(isOurs))?.stored
}

function newestOf(root: string, profile: string, paths: readonly string[]): Rescue | undefined {
  const found = paths.flatMap((path) => openIfPossible(root, profile, path) ?? [])
  return found.toSorted((one, other) => other.stored.generation - one.stored.generation)[0]
}

function openIfPossible(root: string, profile: string, path: string): Rescue | undefined {
  try {
    const bytes = readPrivateFile(path, ENVELOPE_LIMIT)
    return bytes && { bytes, stored: openSealed(bytes, profile, () => loadFileKey(root)) }
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}

/**
 * With the lock held: puts the newest answer that did not reach its place there, be it a rescue or the temporary file of a
 * process that was killed just before its last step, and removes what has been overtaken.
 * @throws {AuthError} `store_unwritable`; then everything stays as it was.
 */
export function settleLeftovers(root: string, profile: string): void {
  // Only a number is in these: what counts is the one that has its place.
  for (const each of temporariesOf(generationPath(root, profile)))
    writing(each, () => rmSync(each, { force: true }))
  const path = credentialPath(root, profile)
  const temporary = temporariesOf(path)
  const rescues = rescuePaths(root, profile).filter(isOurs)
  // Without the key nobody can tell an answer from the room kept for one.
  if (temporary.length + rescues.length === 0 || !hasKey(root)) return
  const newest = newestOf(root, profile, [...rescues, ...temporary])
  if (newest !== undefined && newest.stored.generation > lyingGeneration(root, profile)) {
    replaceFile(path, newest.bytes)
    writeGeneration(root, profile, newest.stored.generation)
    trace(
      () =>
        `${profile}: put an answer into its place that had not reached it, write ${newest.stored.generation}`,
    )
  }
  const readable = rescues.filter((rescue) => openIfPossible(root, profile, rescue) !== undefined)
  for (const done of [...readable, ...temporary]) writing(done, () => rmSync(done, { force: true }))
}

function hasKey(root: string): boolean {
  try {
    loadFileKey(root)
    return true
  } catch (error) {
    if (error instanceof AuthError) return false
    throw error
  }
}

function lyingGeneration(root: string, profile: string): number {
  const lying = attemptRead(() => readSealedFile(root, profile))
  const known = lying === undefined || lying instanceof AuthError ? 0 : lying.generation
  return Math.max(known, readGeneration(root, profile))
}

export function removeRescues(root: string, profile: string): void {
  for (const path of rescuePaths(root, profile).filter(isOurs))
    writing(path, () => rmSync(path, { force: true }))
}
