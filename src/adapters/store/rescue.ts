import { createHash } from 'node:crypto'
import { lstatSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AuthError } from '../../errors.ts'
import type { StoredCredential } from '../../core/ports.ts'
import { replaceFile, writing } from './durable-file.ts'
import { ENVELOPE_LIMIT } from './envelope.ts'
import { writeGeneration } from './generation.ts'
import { loadFileKey } from './keys/file.ts'
import { readPrivateFile } from './private-file.ts'
import { credentialPath, openSealed } from './sealed-file.ts'

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
  return rescuePaths(root, profile).some((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
}

interface Rescue {
  readonly path: string
  readonly bytes: Buffer
  readonly stored: StoredCredential
}

/** The newest rescue that can be read. One that cannot is left for a person to look at. */
export function readRescue(root: string, profile: string): Rescue | undefined {
  const found = rescuePaths(root, profile).flatMap((path) => {
    try {
      const bytes = readPrivateFile(path, ENVELOPE_LIMIT)
      return bytes === undefined
        ? []
        : [{ path, bytes, stored: openSealed(bytes, profile, () => loadFileKey(root)) }]
    } catch (error) {
      if (error instanceof AuthError) return []
      throw error
    }
  })
  return found.toSorted((one, other) => other.stored.generation - one.stored.generation)[0]
}

/**
 * Puts a rescue into its place, with the lock held. `newest`: the generation that lies there; a rescue that is not newer
 * has been overtaken, and goes. @throws {AuthError} `store_unwritable`; the rescue then stays.
 */
export function adoptRescue(root: string, profile: string, newest: number): void {
  const rescue = readRescue(root, profile)
  if (rescue === undefined) return
  const { bytes, path, stored } = rescue
  if (stored.generation > newest) {
    replaceFile(credentialPath(root, profile), bytes)
    writeGeneration(root, profile, stored.generation)
  }
  writing(path, () => rmSync(path, { force: true }))
}

export function removeRescues(root: string, profile: string): void {
  for (const path of rescuePaths(root, profile)) writing(path, () => rmSync(path, { force: true }))
}
