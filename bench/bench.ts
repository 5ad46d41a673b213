import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { ROLES, withContenders, type Contenders, type Role } from './contenders.ts'
import { measure, type Usage } from './measure.ts'
import { BUDGET, exceedsBudget, tableOf, type Round } from './report.ts'

const USAGE = `Usage: npm run bench -- [--pairs N] [--node PATH]… [--assert]

Measures CPU time and peak memory of \`codex-auth token\` with a living token, against the least
that a Node.js program can do for the same result, under this Node.js and any others given.

  --pairs N     how often each program is run, in turn (20)
  --node PATH   measure under this Node.js as well (repeatable)
  --assert      end with 1 when a ratio is above ${BUDGET}
`

/** Rounds that are not counted: the first ones read the files from the disk. */
const WARM_UP = 2

process.exitCode = await bench()

async function bench(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  if (options === undefined) {
    process.stderr.write(USAGE)
    return 2
  }
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const versions = versionsOf([process.execPath, ...options.nodes])
  if (versions === undefined) return 2
  const interruption = interruptible()
  let exceeded = false
  try {
    await withContenders(async (contenders) => {
      for (const [node, version] of versions) {
        const rounds = await play(contenders, node, options.pairs, interruption)
        process.stdout.write(`${tableOf(version, rounds)}\n`)
        exceeded ||= exceedsBudget(rounds)
      }
    })
  } catch (error) {
    if (!interruption.aborted) throw error
    return Number(interruption.reason)
  }
  return options.assert && exceeded ? 1 : 0
}

/** Aborted by a signal, with the exit code as its reason. */
function interruptible(): AbortSignal {
  const interruption = new AbortController()
  // Not `once`: the lock's package ends the process itself when it finds itself the only listener.
  process.on('SIGINT', () => interruption.abort(130))
  process.on('SIGTERM', () => interruption.abort(143))
  return interruption.signal
}

interface Options {
  readonly pairs: number
  readonly nodes: readonly string[]
  readonly assert: boolean
  readonly help: boolean
}

/** `undefined`: the call was wrong. */
function optionsOf(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        pairs: { type: 'string', default: '20' },
        node: { type: 'string', multiple: true, default: [] },
        assert: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const pairs = Number(values.pairs)
    if (!Number.isInteger(pairs) || pairs < 1) throw new TypeError('--pairs takes a whole number from 1')
    return { pairs, nodes: values.node, assert: values.assert, help: values.help }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n\n`)
    return undefined
  }
}

/** By path. `undefined`: one of them is no Node.js, which is told. */
function versionsOf(nodes: readonly string[]): [node: string, version: string][] | undefined {
  const versions = nodes.map((node): [string, string] => [
    node,
    spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '',
  ])
  const wrong = versions.find(([, version]) => !version.startsWith('v'))
  if (wrong === undefined) return versions
  process.stderr.write(`${wrong[0]} is no Node.js\n`)
  return undefined
}

/** In turn, so that a machine that gets slower or faster meanwhile does so for all of them. */
async function play(
  contenders: Contenders,
  node: string,
  pairs: number,
  interruption: AbortSignal,
): Promise<Round[]> {
  const rounds: Round[] = []
  for (let at = -WARM_UP; at < pairs; at++) {
    const round: Partial<Record<Role, Usage>> = {}
    for (const role of ROLES) round[role] = await measure(contenders, role, node, interruption)
    if (at >= 0) rounds.push(round as Round)
  }
  return rounds
}
