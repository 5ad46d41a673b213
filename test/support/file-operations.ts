import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'

const OPERATIONS = [
  'closeSync',
  'copyFileSync',
  'fsyncSync',
  'ftruncateSync',
  'linkSync',
  'mkdirSync',
  'openSync',
  'readdirSync',
  'renameSync',
  'rmSync',
  'writeSync',
] as const

export type FileOperation = (typeof OPERATIONS)[number]

type Functions = Record<string, (...args: unknown[]) => unknown>

/**
 * Calls `before` ahead of every file operation on something below `folder`, with the name of what it is done to, in
 * which temporary files are called `*`. What it throws is what the operation throws. Returns what ends it.
 */
export function beforeFileOperations(
  folder: string,
  before: (operation: FileOperation, name: string) => void,
): () => void {
  const functions = fs as unknown as Functions
  const originals = Object.fromEntries(OPERATIONS.map((operation) => [operation, functions[operation]]))
  const opened = new Map<unknown, string>()
  for (const operation of OPERATIONS) {
    functions[operation] = (...args) => {
      const path = typeof args[0] === 'number' ? opened.get(args[0]) : String(args[0])
      if (path?.startsWith(folder)) before(operation, nameOf(path))
      const result = originals[operation]?.(...args)
      if (operation === 'openSync') opened.set(result, String(path))
      if (operation === 'closeSync') opened.delete(args[0])
      return result
    }
  }
  syncBuiltinESMExports()
  return () => {
    Object.assign(functions, originals)
    syncBuiltinESMExports()
  }
}

function nameOf(path: string): string {
  return basename(path).replace(/\.[0-9a-f]{12}\.tmp$/, '.*')
}

/** Runs `work` and tells what it did to files below `folder`, in order, as in `fsyncSync credential`. */
export function fileOperationsOf(folder: string, work: () => void): string[] {
  const journal: string[] = []
  const end = beforeFileOperations(folder, (operation, name) => journal.push(`${operation} ${name}`))
  try {
    work()
  } finally {
    end()
  }
  return journal
}

/** Runs `work` while the system refuses one operation below `folder` with this code. */
export function refusing<T>(folder: string, refused: FileOperation, code: string, work: () => T): T {
  const end = beforeFileOperations(folder, (operation) => {
    if (operation === refused) throw Object.assign(new Error(`${code}: refused by the test`), { code })
  })
  try {
    return work()
  } finally {
    end()
  }
}
