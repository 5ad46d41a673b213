import { lstatSync, type BigIntStats } from 'node:fs'

/** Stands for a file as it is now: another text once it has been replaced or written to. `-` where there is none. */
export function fileIdentity(path: string): string {
  const stats = statIfPossible(path)
  return stats === undefined
    ? '-'
    : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}

/** What is in the way is said by whoever reads the file. */
function statIfPossible(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}
