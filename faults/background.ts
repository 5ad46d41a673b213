import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { programAt, type Ended } from './program.ts'
import type { Stage } from './scenario.ts'
import type { Trial } from './trial.ts'

/** In a trial the access token is over, so that it has to be refreshed in a process of its own. */
export const IN_TIME = ['token', '--timeout', '4s']

/** The stage with a program whose refresh in a process of its own can be run through another command. */
export function withBackground(stage: Stage): Stage {
  const path = join(stage.root, 'background.mjs')
  writeFileSync(path, sourceFor(stage.program.path))
  const program = programAt(path)
  stage.atEnd(program.close)
  return { ...stage, program }
}

/**
 * Gets a token in time, with the refreshing process run through this command, as `strace` does. Resolves when both have
 * ended.
 */
export async function throughBackground(trial: Trial, through: readonly string[]): Promise<Ended> {
  const { home } = trial
  writeFileSync(join(home, 'through'), JSON.stringify(through))
  const ended = await trial.run(IN_TIME)
  // Milliseconds. It is looked at each time: where it never ends, the next call hangs.
  for (let waited = 0; !existsSync(join(home, 'through.ended')) && waited < 10_000; waited += 10)
    await setTimeout(10)
  rmSync(join(home, 'through'))
  return ended
}

function sourceFor(program: string): string {
  return `import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
const through = process.env.CODEX_AUTH_HOME + '/through'
const words = process.argv.slice(2)
if (words.includes('--if-generation') && existsSync(through)) {
  const [command, ...before] = JSON.parse(readFileSync(through, 'utf8'))
  const args = [...before, process.execPath, ${JSON.stringify(program)}, ...words]
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit' })
  writeFileSync(through + '.ended', '')
  if (signal !== null) process.kill(process.pid, signal)
  process.exitCode = status ?? 1
} else {
  await import(${JSON.stringify(pathToFileURL(program).href)})
}
`
}
