import type { Command } from 'commander'
import { program } from '../src/cli.ts'
import { systemContext, type Surroundings } from '../src/system-context.ts'

/** Where no command is run: nothing is read, asked or printed. */
const NOWHERE: Surroundings = {
  env: {},
  stdout: () => undefined,
  stderr: () => undefined,
  stderrIsTerminal: false,
  stdoutIsTerminal: false,
  columns: 80,
  now: () => 0,
  elapsed: () => 0,
  interruption: new AbortController().signal,
}

/** Every command with its flags, arguments and words, to be looked at. */
export function commandTree(): Command {
  return program(systemContext(NOWHERE, { endWith: () => undefined, endAs: () => undefined }))
}
