import { execFileSync } from 'node:child_process'
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
  let exceeded = false
  await withContenders(async (contenders) => {
    for (const node of [process.execPath, ...options.nodes]) {
      const rounds = await play(contenders, node, options.pairs)
      process.stdout.write(`${tableOf(versionOf(node), rounds)}\n`)
      exceeded ||= exceedsBudget(rounds)
    }
  })
  return options.assert && exceeded ? 1 : 0
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

function versionOf(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
}

/** In turn, so that a machine that gets slower or faster meanwhile does so for all of them. */
async function play(contenders: Contenders, node: string, pairs: number): Promise<Round[]> {
  const rounds: Round[] = []
  for (let at = -WARM_UP; at < pairs; at++) {
    const round: Partial<Record<Role, Usage>> = {}
    for (const role of ROLES) round[role] = await measure(contenders, role, node)
    if (at >= 0) rounds.push(round as Round)
  }
  return rounds
}
