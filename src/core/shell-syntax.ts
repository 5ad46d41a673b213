import type { Variables } from './token-variables.ts'

interface Syntax {
  set(name: string, value: string): string
  unset(name: string): string
}

/** How a shell sets and removes an exported variable. Nothing inside of these quotes means anything to it. */
const SYNTAX = {
  // POSIX.1-2017, Shell Command Language, 2.2.2: within single quotes, only a single quote is special.
  sh: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    unset: (name) => `unset ${name}`,
  },
  // The semicolon is for `eval (…)`, which joins the lines with spaces.
  fish: {
    set: (name, value) => `set -gx ${name} '${value.replaceAll(/[\\']/g, String.raw`\$&`)}';`,
    unset: (name) => `set -eg ${name}; or true;`,
  },
  // about_Quoting_Rules; its language takes the typographic single quotes for the plain one.
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`,
    unset: (name) => `$env:${name} = $null`,
  },
} as const satisfies Record<string, Syntax>

export type Shell = keyof typeof SYNTAX

export const SHELLS = Object.keys(SYNTAX) as readonly Shell[]

/** Lines for a shell to evaluate: one statement for each variable. */
export function assignments(variables: Variables, shell: Shell): string {
  const { set, unset } = SYNTAX[shell]
  return variables
    .map(([name, value]) => `${value === undefined ? unset(name) : set(name, value)}\n`)
    .join('')
}
