import { join } from 'node:path'
import { AuthError } from '../../errors.ts'
import { parseCredential, serializeCredential } from '../../core/credential.ts'
import type { StoredCredential } from '../../core/ports.ts'
import { isProfileName } from '../../core/profile-name.ts'
import { ENVELOPE_LIMIT, parseEnvelope, seal } from './envelope.ts'
import { loadFileKey, type FileKey } from './keys/file.ts'
import { readPrivateFile } from './private-file.ts'
import { readGeneration } from './generation.ts'

export function profilesFolder(root: string): string {
  return join(root, 'profiles')
}

export function credentialPath(root: string, profile: string): string {
  return join(profilesFolder(root), `${profile}.cred`)
}

/**
 * Reads and opens a profile's credential, without a lock: the file is only ever replaced whole.
 * `undefined`: nothing is stored.
 * @throws {AuthError} `store_*`, `key_*` or `foreign_machine` for anything that is there and cannot be used.
 */
export function readSealedFile(root: string, profile: string): StoredCredential | undefined {
  // First the number, then the file: a write between the two can only make the file the newer one.
  const newest = readGeneration(root, profile)
  const bytes = readPrivateFile(credentialPath(root, profile), ENVELOPE_LIMIT)
  if (bytes === undefined) return undefined
  const stored = openSealed(bytes, profile, () => loadFileKey(root))
  if (stored.generation < newest) throw rolledBack(stored.generation, newest)
  return stored
}

/** Opens the content of a credential file. `loadKey` is not called for one that needs no key to be refused. */
export function openSealed(bytes: Buffer, profile: string, loadKey: () => FileKey): StoredCredential {
  const { header, open } = parseEnvelope(bytes)
  if (header.profile !== profile) throw otherProfile(header.profile)
  const key = loadKey()
  if (header.keyId !== key.keyId) {
    throw new AuthError(
      'key_mismatch',
      'The stored credential was sealed with a different key than the one in use now.',
    )
  }
  if (header.machine !== undefined && header.machine !== key.machine) throw foreignMachine(key.machine)
  const credential = parseCredential(open(key.sealingKey(header.machine !== undefined)))
  return { credential, generation: header.generation }
}

/** The content of a credential file, bound to this machine where it has a stable id. */
export function sealCredential(key: FileKey, profile: string, stored: StoredCredential): Buffer {
  const { keyId, machine } = key
  const header = { keySource: 'file', keyId, machine, profile, generation: stored.generation } as const
  return seal(serializeCredential(stored.credential), key.sealingKey(machine !== undefined), header)
}

function otherProfile(name: string): AuthError {
  const whose = isProfileName(name) ? `the profile "${name}"` : 'another profile'
  return new AuthError(
    'store_corrupt',
    `The stored credential is a copy of the one in ${whose}. Two copies of one login end it for both.`,
  )
}

function foreignMachine(here: string | undefined): AuthError {
  const message =
    here === undefined
      ? 'The stored credential is bound to a machine by its id, and this machine does not tell one now.'
      : 'The stored credential was written on another machine. Using a copied login would end it on both.'
  return new AuthError('foreign_machine', message)
}

function rolledBack(found: number, newest: number): AuthError {
  return new AuthError(
    'store_rolled_back',
    `The stored credential is an older copy (write ${found}; the last was ${newest}). Its refresh token has been spent.`,
  )
}
