import { readFileSync } from 'node:fs'
import { cpus, release, type } from 'node:os'
import { join } from 'node:path'
import type { Findings, Scenario } from './scenario.ts'
import { PACKAGE } from './stage.ts'
import { LEGEND, markdown, tableOf } from './table.ts'

/** One run of the suite. */
export interface Run {
  readonly seed: number
  readonly seconds: number
  readonly scenarios: readonly (readonly [Scenario, Findings])[]
  readonly findings: Findings
}

/** The page that is published. `today`: when it was run. */
export function reportOf({ seed, seconds, scenarios, findings }: Run, today: Date): string {
  const { rows, broken, details = [] } = findings
  return [
    '# Reliability',
    INTRODUCTION,
    markdown(
      ['run', ''],
      [
        ['date', today.toISOString().slice(0, 10)],
        ['command', `\`npm run faults -- --seed ${seed}\``],
        ['codex-auth', programVersion()],
        ['Node.js', process.version],
        ['kernel', `${type()} ${release()}, ${cpus().length} processors`],
        ['took', `${(seconds / 60).toFixed(1)} minutes`],
      ],
    ),
    '## The table',
    tableOf(rows),
    LEGEND,
    '## Rules that did not hold',
    broken.length === 0 ? 'None.' : broken.map((rule) => `- ${rule}`).join('\n'),
    '## What is tried',
    scenarios.map(([{ name, rule }]) => `- **${name}** – ${rule}`).join('\n'),
    '## Details',
    ...details.flatMap(({ title, columns, lines }) => [`### ${title}`, markdown(columns, lines)]),
  ]
    .map((part) => part.trimEnd())
    .join('\n\n')
    .concat('\n')
}

const INTRODUCTION = `
What the built program does when it is hurt: real processes, real files, an issuer on the same machine that replaces
refresh tokens and ends a login of which one is sent twice. This page is written by the run itself, whatever came of it.

One loss cannot be avoided by any client: the provider has replaced the refresh token, and the process dies before the
answer is on the disk. The row \`window\` says how long that moment is, and the rows in parentheses how often we hit it
on purpose.
`.trim()

function programVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }
  return version
}
