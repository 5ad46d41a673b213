import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own, in memory, with room for a few credentials. */
export interface SmallDisk {
  readonly path: string
  /** Takes all the room that is left, but for so many bytes. */
  fill(left?: number): void
  /** Gives back what {@link fill} took. */
  empty(): void
  setReadOnly(readOnly: boolean): void
  remove(): void
}

/** Mounts one. `undefined`: this process may not mount anything; permission bits stop no root, so nothing else will do. */
export function mountSmallDisk(): SmallDisk | undefined {
  const parent = mkdtempSync(join(tmpdir(), 'codex-auth-disk-'))
  const path = join(parent, 'disk')
  const filler = join(path, 'filler')
  mkdirSync(path)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=0700', 'codex-auth-test', path])
  if (status !== 0) {
    rmSync(parent, { recursive: true })
    return undefined
  }
  return {
    path,
    fill: (left = 0) => {
      fill(filler)
      if (left > 0) truncateSync(filler, statSync(filler).size - left)
    },
    empty: () => rmSync(filler),
    setReadOnly: (readOnly) => run('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, path]),
    remove: () => {
      run('umount', ['-l', path])
      rmSync(parent, { recursive: true })
    },
  }
}

function fill(path: string): void {
  const descriptor = openSync(path, 'wx', 0o600)
  const block = Buffer.alloc(4096, 1)
  try {
    for (;;) writeSync(descriptor, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(descriptor)
  }
}

function run(command: string, words: readonly string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} failed: ${stderr}`)
}
