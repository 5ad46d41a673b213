import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach } from 'vitest'
import { acquireLock, type AcquireOptions, type LockHandle } from '../../src/adapters/store/lock.ts'
import type { AuthError } from '../../src/errors.ts'

export interface LockPlace {
  /** Removed after the last test. */
  readonly root: string
  /** An empty one for each test. */
  readonly folder: string
  /** Where the lock goes in it. */
  readonly path: string
  /** Takes the lock, with one attempt unless told. */
  take(options?: AcquireOptions<never>, path?: string): Promise<LockHandle>
  /** What is said when it cannot be taken, with one attempt unless told. */
  refusal(options?: AcquireOptions<never>): Promise<AuthError>
}

/** Folders for the tests of one file. */
export function lockPlace(): LockPlace {
  const root = mkdtempSync(join(tmpdir(), 'codex-auth-lock-'))
  let folder = root
  const path = (): string => join(folder, 'default.lock')
  beforeEach(() => {
    folder = mkdtempSync(join(root, 'profiles-'))
  })
  afterAll(() => rmSync(root, { recursive: true }))
  return {
    root,
    get folder() {
      return folder
    },
    get path() {
      return path()
    },
    take: (options, other = path()) => take(other, options),
    refusal: (options) => take(path(), options).then(unexpected, (error: AuthError) => error),
  }
}

async function take(path: string, options: AcquireOptions<never> = {}): Promise<LockHandle> {
  const acquired = await acquireLock(path, { deadline: 0, ...options })
  if (!('handle' in acquired)) throw new Error('nothing settles this wait')
  return acquired.handle
}

function unexpected(): never {
  throw new Error('the lock was taken')
}
