import { Option, type Command } from 'commander'
import { parseDuration } from '../core/duration.ts'
import type { GlobalFlags } from './context.ts'

/** Every flag of this command together with the global ones, wherever on the line they stood. */
export function flagsOf<T extends object>(command: Command): T & GlobalFlags {
  return command.optsWithGlobals<T & GlobalFlags>()
}

export function minTtlOption(description: string): Option {
  return new Option('--min-ttl <duration>', description).argParser(parseDuration)
}

/** Collects a repeatable flag. */
export function collect<T>(
  parse: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => T[] {
  return (text, before) => [...(before ?? []), parse(text)]
}
