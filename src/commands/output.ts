import { stripVTControlCharacters } from 'node:util'
import { formatDuration } from '../core/duration.ts'
import type { LockHolder } from '../core/ports.ts'
import type { Context, GlobalFlags } from './context.ts'
import { tinted } from './tint.ts'

/** Prints a result: one JSON object with `--json`, else the text for people. */
export function printResult(context: Context, flags: GlobalFlags, json: object, text: string): void {
  if (flags.json) context.stdout(jsonText(context, json))
  else if (text !== '') context.stdout(text)
}

/** One object on one line; indented where a person reads it. */
export function jsonText(context: Context, json: object): string {
  return `${JSON.stringify(json, null, context.stdoutIsTerminal ? 2 : undefined)}\n`
}

/** Says something to the person, unless `--quiet`. */
export function say(context: Context, flags: GlobalFlags, text: string): void {
  if (!flags.quiet) tell(context, text)
}

/** Says something that a person waits for; `--quiet` does not hide it. */
export function tell(context: Context, text: string): void {
  context.stderr(`${wrapped(text, context)}\n`)
}

/** Says something that went wrong without ending the command; `--quiet` does not hide it. */
export function warn(context: Context, text: string): void {
  tell(context, `${tinted('caution', 'codex-auth: warning:', context.stderrHasColours)} ${text}`)
}

/** Says why the command has failed, and the one thing to do about it. */
export function tellFailure(context: Context, message: string, nextStep: string): void {
  const { stderrHasColours } = context
  const [name, next] = [
    tinted('bad', 'codex-auth:', stderrHasColours),
    tinted('strong', 'Next:', stderrHasColours),
  ]
  tell(context, `${name} ${message}\n  ${next} ${nextStep}`)
}

/**
 * Breaks lines between words where a terminal would break them within one. Programs get every line whole, and a word that is
 * longer than a line, such as an address, is left to the terminal, which joins it again when it is copied.
 */
export function wrapped(text: string, { stderrIsTerminal, columns }: Context): string {
  return stderrIsTerminal
    ? text
        .split('\n')
        .map((line) => wrapLine(line, columns))
        .join('\n')
    : text
}

/** Its own indent is kept by the lines that it becomes. */
export function wrapLine(line: string, columns: number): string {
  const [, indent = '', rest = ''] = /^(\s*)(.*)$/.exec(line) ?? []
  const lines: string[] = []
  for (const word of words(rest)) {
    const last = lines.at(-1)
    const longer = last === undefined ? indent + word : `${last} ${word}`
    if (last === undefined || widthOf(longer) <= columns)
      lines.splice(Math.max(lines.length - 1, 0), 1, longer)
    else lines.push(indent + word)
  }
  return lines.join('\n')
}

/** Columns; a colour takes none. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length
}

/** A command at the end, or alone on its line, stays one piece: broken in two lines, it could not be copied. */
function words(line: string): string[] {
  const at = line.search(/\bcodex-auth \S|^ssh -/)
  return at === -1
    ? line.split(' ')
    : [...line.slice(0, at).trimEnd().split(' '), line.slice(at)].filter(Boolean)
}

/** Tells a person at a terminal who holds the lock; programs that wait are told only at the end. */
export function waitNotice(context: Context, flags: GlobalFlags) {
  return {
    onWait: (holder: LockHolder, waited: number): void => {
      if (context.isTerminal)
        say(context, flags, `Waiting for ${describeHolder(holder)} (${formatDuration(waited)}) …`)
    },
  }
}

function describeHolder({ pid, command, since }: LockHolder): string {
  const what = command ?? 'another process'
  const details = [
    pid === undefined ? undefined : `pid ${pid}`,
    since === undefined ? undefined : `since ${clockTime(since)}`,
  ].filter((detail) => detail !== undefined)
  return details.length === 0 ? what : `${what}, ${details.join(', ')},`
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toTimeString().slice(0, 8)
}

export { timestamp } from '../core/timestamp.ts'
