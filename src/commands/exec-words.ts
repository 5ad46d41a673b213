/** One call's words, parted where the command that `exec` runs begins. */
export interface CallWords {
  /** What is ours to understand. */
  readonly own: readonly string[]
  /** The command with its arguments, as they were written. Empty: none was given, or this is no call of `exec`. */
  readonly command: readonly string[]
}

/** The flags of `exec` and of the program that a value follows. */
const WITH_VALUE = new Set(['--profile', '--env', '--min-ttl'])

/**
 * Parts the words before any flag is read: from `--` on, or from the first word after `exec` that is no flag, they
 * belong to the command, even those that look like ours.
 */
export function partAtCommand(argv: readonly string[]): CallWords {
  let inExec = false
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') return inExec ? parted(argv, at, at + 1) : whole(argv)
    if (WITH_VALUE.has(word)) at++
    else if (inExec && !isFlag(word)) return parted(argv, at, at)
    else if (!isFlag(word)) {
      if (word !== 'exec') return whole(argv)
      inExec = true
    }
  }
  return whole(argv)
}

function isFlag(word: string): boolean {
  return word.startsWith('-')
}

function whole(argv: readonly string[]): CallWords {
  return { own: argv, command: [] }
}

function parted(argv: readonly string[], end: number, begin: number): CallWords {
  return { own: argv.slice(0, end), command: argv.slice(begin) }
}
