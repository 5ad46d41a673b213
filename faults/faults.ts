import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionsOf, USAGE, type Options } from './options.ts'
import { progressOn } from './progress.ts'
import { reportOf, type Run } from './report.ts'
import { together, type Findings, type Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { openStage, PACKAGE } from './stage.ts'
import { LEGEND, tableOf } from './table.ts'

process.exitCode = await faults(process.argv.slice(2))

async function faults(args: readonly string[]): Promise<number> {
  const names = SCENARIOS.map(({ name }) => name)
  const options = optionsOf(args, names)
  const usage = USAGE.replace('NAMES', names.join(', '))
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${usage}`)
    return 2
  }
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const run = await perform(options)
  process.stdout.write(`seed ${options.seed}\n\n${tableOf(run.findings.rows)}\n${LEGEND}\n\n`)
  for (const rule of run.findings.broken) process.stdout.write(`✗ ${rule}\n`)
  if (isWhole(options)) writeFileSync(join(PACKAGE, 'docs', 'reliability.md'), reportOf(run, new Date()))
  process.stdout.write(verdict(run))
  return run.findings.broken.length === 0 ? 0 : 1
}

async function perform(options: Options): Promise<Run> {
  const started = performance.now()
  const progress = progressOn(process.stderr)
  const stage = openStage({ ...options, progress: progress.of })
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    // The stage goes with the process.
    process.once(signal, () => process.exit(exitCode))
  }
  const chosen = SCENARIOS.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const all: (readonly [Scenario, Findings])[] = []
  try {
    for (const scenario of chosen) {
      progress.begin(scenario.name)
      const found = await scenario.run({ ...stage, random: stage.random.branch(scenario.name) })
      progress.end(found.broken.length)
      all.push([scenario, found])
    }
  } finally {
    stage.close()
  }
  const seconds = (performance.now() - started) / 1000
  return { seed: options.seed, seconds, scenarios: all, findings: together(all.map(([, found]) => found)) }
}

/** What is published is all of it. */
function isWhole({ only, short }: Options): boolean {
  return only.length === 0 && !short
}

function verdict({ seconds, findings }: Run): string {
  const { broken, rows } = findings
  const skips = rows.filter((row) => row.skipped !== undefined).length
  const what = broken.length === 0 ? 'Every rule held' : `${broken.length} rule(s) did not hold`
  return `${what}${skips === 0 ? '' : `; ${skips} fault(s) could not be tried here`}. ${seconds.toFixed(0)} s.\n`
}
