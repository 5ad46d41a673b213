import { fstatSync, type Stats } from 'node:fs'

const FIRST = 3

/** Node.js has these closed in every child, whoever opened them; what it was given above is left alone. */
const LAST = 15

/** The two ends of a pipe of its own lie side by side, or nearly so: one can be above the last. */
const LOOKED_AT = 64

/**
 * What of the descriptors beside the standard streams a child is to have as well, as `stdio` of `spawn` wants it told from
 * descriptor 3 on: files, as in `3<file`, and pipes, as in zsh's `<(…)`. All else may be Node's own.
 */
export function inheritedDescriptors(): ('inherit' | 'ignore')[] {
  const open = Array.from({ length: LOOKED_AT - FIRST }, (_, at) => statOf(FIRST + at))
  const closed = open.slice(0, LAST + 1 - FIRST)
  return closed.map((each) => (isFile(each) || isForeignPipe(each, open) ? 'inherit' : 'ignore'))
}

function statOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor)
  } catch {
    return undefined
  }
}

function isFile(open: Stats | undefined): boolean {
  return open?.isFile() === true
}

/** Of a pipe of its own, a process holds both ends. */
function isForeignPipe(open: Stats | undefined, all: readonly (Stats | undefined)[]): boolean {
  return open?.isFIFO() === true && all.filter((other) => other?.ino === open.ino).length === 1
}
