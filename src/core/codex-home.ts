import type { LockHolder } from './ports.ts'

/**
 * Where Codex keeps its login: `file`, always; `auto`, in the system's keyring where there is one; `keyring`, there
 * only; `ephemeral`, nowhere.
 */
export type CodexStorage = 'file' | 'auto' | 'keyring' | 'ephemeral'

/** Codex's own folder, as far as its login is concerned. */
export interface CodexHome {
  /** Its login file, whether or not there is one. */
  readonly path: string
  /** @throws {AuthError} `codex_unreadable` for a configuration that Codex itself would refuse. */
  storage(): CodexStorage
  /** Where and as which client Codex renews what its file does not say, as the environment tells. `undefined`: the usual. */
  readonly overrides: { readonly issuer: string | undefined; readonly clientId: string | undefined }
  /**
   * Reads the file without a lock, as Codex does. One that is empty or breaks off is read again for a moment, since
   * older releases write in place. `undefined`: there is none.
   * @throws {AuthError} `codex_unreadable`.
   */
  read(): Promise<string | undefined>
  /** Seconds to wait for what Codex is doing. */
  readonly patience: number
  /** A process of Codex that uses this folder. `undefined`: none is known of. */
  running(): Promise<LockHolder | undefined>
  /** Resolves after a moment in which somebody else may do something. @throws the reason of the interruption. */
  pause(): Promise<void>
  /**
   * Runs while no other process, Codex included, can change the file.
   * @throws {AuthError} `store_busy` when the lock is not had in time; `store_unwritable` when the file could not be
   * replaced, or this system has no way to take Codex's lock.
   */
  exclusively<T>(work: (held: HeldCodexFile) => Promise<T>): Promise<T>
}

export interface HeldCodexFile {
  read: CodexHome['read']
  /**
   * Replaces the file whole and durably, or leaves it as it was. `false`: it does not hold `before` any more, because a
   * release that knows no lock has written it; nothing was changed.
   * @throws {AuthError} `store_unwritable`, `store_busy`.
   */
  replace(before: string | undefined, after: string): Promise<boolean>
}
