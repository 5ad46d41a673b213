import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program that stands for a browser and keeps what it was started with. */
export interface Recorder {
  readonly path: string
  /** Its arguments. `undefined`: it has not been started. */
  args(): string[] | undefined
  /** A variable as it was told, see {@link recorder}. */
  variable(name: string): string | undefined
}

/**
 * @param then shell commands that it runs when it has been recorded.
 * @param variables those that are recorded as well.
 */
export function recorder(
  folder: string,
  name: string,
  then = '',
  variables: readonly string[] = [],
): Recorder {
  const path = join(folder, name)
  const record = join(folder, `${name.replaceAll(/\W/g, '-')}.record`)
  const script = [
    '#!/bin/sh',
    'echo noise; echo noise >&2',
    ...variables.map((variable) => `printf %s "$${variable}" >'${record}.${variable}'`),
    // `printf` without arguments would still print a NUL.
    `{ for word in "$@"; do printf '%s\\0' "$word"; done; } >'${record}.part'`,
    `/bin/mv '${record}.part' '${record}'`,
    then,
  ]
  writeFileSync(path, script.join('\n'))
  chmodSync(path, 0o700)
  return {
    path,
    args: () => (existsSync(record) ? readFileSync(record, 'utf8').split('\0').slice(0, -1) : undefined),
    variable: (variable) =>
      existsSync(`${record}.${variable}`) ? readFileSync(`${record}.${variable}`, 'utf8') : undefined,
  }
}
