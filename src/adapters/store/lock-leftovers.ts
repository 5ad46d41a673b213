import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readOwnerFile, type SpendingRecord } from './lock-owner.ts'

/** Milliseconds: longer than a process takes to put its folder in place, unless it sleeps, which then costs it one try. */
const LEFT_OVER = 60_000

/** Where a process prepares its lock. */
export function preparation(path: string, name: string): string {
  return sibling(path, name, '')
}

/** Where the record of an owner that died while it was spending waits for the next holder. */
export function recordOfDead(path: string, name: string): string {
  return sibling(path, name, '.died')
}

function sibling(path: string, name: string, suffix: string): string {
  return join(dirname(path), `.${basename(path)}.${name}${suffix}`)
}

export interface Inheritance {
  /** What the last owner that died was spending. `undefined`: nothing that we know of. */
  readonly previous: SpendingRecord | undefined
  /** The files that say so, to be removed when the lock is released. */
  readonly records: readonly string[]
}

/** What dead owners left beside the lock. For the lock's holder only. */
export function inherit(path: string): Inheritance {
  const dead = leftovers(path).filter(({ suffix }) => suffix === '.died')
  const spendings = dead.flatMap(({ file, name }) => readOwnerFile(file, name)?.spending ?? [])
  return {
    previous: spendings.toSorted((a, b) => a.at - b.at).at(-1),
    records: dead.map(({ file }) => file),
  }
}

/** Removes what killed processes had prepared. For the lock's holder only. */
export function sweep(path: string): void {
  for (const leftover of leftovers(path)) {
    try {
      sweepOne(path, leftover)
    } catch (error) {
      // Its maker has woken up, or it cannot be removed now: the next holder looks again.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
  }
}

function sweepOne(path: string, { file, name, suffix }: Leftover): void {
  if (suffix === '.died' || (suffix === '' && !isOld(file))) return
  const gone = sibling(path, name, '.gone')
  // Its maker may be asleep, about to put it in place: then it must be whole, or not there at all.
  if (suffix === '') renameSync(file, gone)
  rmSync(gone, { recursive: true, force: true })
}

function isOld(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > LEFT_OVER
}

interface Leftover {
  readonly file: string
  readonly name: string
  readonly suffix: string
}

/** Exactly the names above: a profile may be called "a", and another one "a.lock". */
function leftovers(path: string): Leftover[] {
  const prefix = `.${basename(path)}.`
  return readdirSync(dirname(path))
    .filter((entry) => entry.startsWith(prefix))
    .flatMap((entry) => {
      const [, name, suffix] = /^(owner-[0-9a-f]{32})(|\.died|\.gone)$/.exec(entry.slice(prefix.length)) ?? []
      return name === undefined || suffix === undefined
        ? []
        : { file: join(dirname(path), entry), name, suffix }
    })
}
