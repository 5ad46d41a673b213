import { formatDuration } from '../core/duration.ts'
import type { LockHolder } from '../core/ports.ts'
import type { Context, GlobalFlags } from './context.ts'

/** Prints a result: one JSON object with `--json`, else the text for people. */
export function printResult(context: Context, flags: GlobalFlags, json: object, text: string): void {
  if (flags.json) context.stdout(`${JSON.stringify(json, null, context.stdoutIsTerminal ? 2 : undefined)}\n`)
  else if (text !== '') context.stdout(text)
}

/** Says something to the person, unless `--quiet`. */
export function say(context: Context, flags: GlobalFlags, text: string): void {
  if (!flags.quiet) context.stderr(`${text}\n`)
}

/** Says something that went wrong without ending the command; `--quiet` does not hide it. */
export function warn(context: Context, text: string): void {
  context.stderr(`codex-auth: warning: ${text}\n`)
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

/** RFC 3339 in UTC, without fractions. `null` for a time that is not known, or that no calendar has. */
export function timestamp(seconds: number | undefined): string | null {
  const date = new Date(Math.floor(seconds ?? Number.NaN) * 1000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z')
}
