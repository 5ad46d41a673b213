import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import { readPrivateFile } from './private-file.ts'
import { replaceFile } from './durable-file.ts'

/**
 * The number of the last write in a profile, kept beside the credential and through a logout, so that an older copy
 * put back is noticed. 0: no write is known of. A number that is damaged or cannot be read counts as none: it only ever
 * adds a refusal, and must not keep a good credential from being read, or an answer from being saved.
 */
export function readGeneration(root: string, profile: string): number {
  const text = readIfPossible(generationPath(root, profile))
  return /^\d{1,15}\n$/.test(text) ? Number(text) : 0
}

function readIfPossible(path: string): string {
  try {
    return readPrivateFile(path, 64)?.toString('latin1') ?? ''
  } catch (error) {
    if (error instanceof AuthError) return ''
    throw error
  }
}

/** @throws {AuthError} `store_unwritable`. */
export function writeGeneration(root: string, profile: string, generation: number): void {
  replaceFile(generationPath(root, profile), Buffer.from(`${generation}\n`))
}

export function generationPath(root: string, profile: string): string {
  return join(root, 'profiles', `${profile}.generation`)
}
