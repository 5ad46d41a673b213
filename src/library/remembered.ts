import { join, resolve } from 'node:path'
import { rootFromEnvironment } from '../adapters/root-folder.ts'
import { readSettings } from '../adapters/settings.ts'
import { fileIdentity } from '../adapters/store/file-identity.ts'
import { credentialPath, readSealedFile } from '../adapters/store/sealed-file.ts'
import type { StoredCredential } from '../core/ports.ts'
import { chooseProfile } from '../core/profile-name.ts'
import type { Settings } from '../core/settings.ts'
import type { CallOptions } from './call.ts'

interface Seen<T> {
  readonly identity: string
  readonly content: T
}

/**
 * Reads a file again only when it is another one than at the last look. The look comes before the read: a file that is
 * replaced between the two is kept under the identity of the one before, and read again by the next call.
 */
function remembering<T>() {
  const seen = new Map<string, Seen<T>>()
  return (path: string, read: () => T): T => {
    const identity = fileIdentity(path)
    const before = seen.get(path)
    if (before?.identity === identity) return before.content
    // What cannot be read any more must not be handed out as it was.
    seen.delete(path)
    const content = read()
    seen.set(path, { identity, content })
    return content
  }
}

const settingsAt = remembering<Settings>()
const credentialAt = remembering<StoredCredential | undefined>()

/** For users whom the environment does not tell where they live: asked of the system once. */
let rootOfUser: string | undefined

export function rememberRoot(root: string): void {
  rootOfUser = root
}

/** The root folder as far as it is known without asking the system. `undefined`: it is not. */
export function knownRoot({ home, env = process.env }: CallOptions): string | undefined {
  const root = (home || rootFromEnvironment(env)) ?? rootOfUser
  return root === undefined ? undefined : resolve(root)
}

export interface Remembered {
  readonly profile: string
  readonly settings: Settings
  /** `undefined`: nothing is stored. */
  readonly stored: StoredCredential | undefined
}

/**
 * What is stored, for the price of two looks at the file system where nothing has changed.
 * @throws {AuthError} as the readers of settings and credential.
 */
export function remembered(root: string, { profile, env = process.env }: CallOptions): Remembered {
  const settingsPath = join(root, 'config.json')
  const settings = settingsAt(settingsPath, () => readSettings(settingsPath))
  const name = chooseProfile(profile, env, settings)
  const stored = credentialAt(credentialPath(root, name), () => forHandingOut(readSealedFile(root, name)))
  return { profile: name, settings, stored }
}

/** What renews the login does not lie in the host's memory for as long as it runs. */
function forHandingOut(stored: StoredCredential | undefined): StoredCredential | undefined {
  return (
    stored && {
      ...stored,
      credential: {
        ...stored.credential,
        refreshToken: undefined,
        idToken: undefined,
        mintedApiKey: undefined,
      },
    }
  )
}
