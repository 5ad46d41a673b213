import { setTimeout } from 'node:timers/promises'
import { crowdOf, longestSilence } from '../crowd.ts'
import { duration } from '../figures.ts'
import { libraryHost } from '../library-host.ts'
import { toldOfLoss } from '../kill.ts'
import type { Ended, Program, Running } from '../program.ts'
import { together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { aftermath, complaints, endsWith, unless } from '../verdict.ts'

/** Every way to come to a token, and to read what is stored. `prints`: what has to be the same for all. */
const KINDS: readonly { readonly words: readonly string[]; readonly prints?: 'token' | 'key' }[] = [
  { words: ['token'], prints: 'token' },
  { words: ['token', '--timeout', '60s'], prints: 'token' },
  { words: ['token', '--min-ttl', '10m', '--format', 'raw'], prints: 'token' },
  { words: ['exec', '--', 'printenv', 'OPENAI_API_KEY'], prints: 'token' },
  { words: ['library'], prints: 'token' },
  { words: ['token', '--kind', 'api-key'], prints: 'key' },
  { words: ['refresh', '--if-expiring', '5m'] },
  { words: ['status'] },
]
const kindOf = (at: number): (typeof KINDS)[number] => KINDS[at % KINDS.length] ?? { words: [] }

export const mixed: Scenario = {
  name: 'mixed',
  rule:
    'Commands of every kind and programs with the library come at once to one login that is over. One refresh is sent and one ' +
    'API key asked for, whoever is first. Where a third of them is killed, the others go on, and the login is lost only with ' +
    'an answer that was on its way to one of those, which is said.',
  run: async (stage) => {
    const library = libraryHost(stage)
    return together([await inPeace(stage, library), await underFire(stage, library)])
  },
}

async function inPeace(stage: Stage, library: Program): Promise<Findings> {
  const processes = stage.short ? 16 : 120
  const tally = new Tally(`${processes} processes of ${KINDS.length} kinds at once on one expired login`)
  let notes = ''
  await inTrial(stage, async (trial) => {
    const { issuer } = trial
    let started = 0
    const crowd = await crowdOf(processes, () => startKind(trial, library, started++, processes))
    notes = `all had ended after ${duration(crowd.elapsed)}; one API key was asked for`
    const { outcome } = await aftermath(trial)
    tally.add({
      ...outcome,
      hangs: longestSilence(crowd) > 5000 ? 1 : 0,
      broken: [
        ...(outcome.broken ?? []),
        ...crowd.ends.flatMap((ended, at) => judge(ended, at, trial)),
        ...sameWords(crowd.ends, 'token'),
        ...sameWords(crowd.ends, 'key'),
        ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
        ...unless(issuer.apiKeys === 1, `${issuer.apiKeys} API keys`),
      ],
    })
  })
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

/** Milliseconds in which all that is killed is killed: until the first of so many have ended, and more. */
const FIRE = 1500

async function underFire(stage: Stage, library: Program): Promise<Findings> {
  const [trials, processes] = stage.short ? [2, 12] : [30, 24]
  const fault = `SIGKILL of a third of ${processes} processes of ${KINDS.length} kinds, each at a random moment`
  const kept = new Tally(`${fault}, no answer lost`)
  const lost = new Tally(`${fault}, an answer was on its way to one of them`, { inevitable: true })
  for (let at = 0; at < trials; at++) {
    await inTrial(stage, async (trial) => {
      const found = await shootThird(stage, trial, library, processes)
      ;(found.lost ? lost : kept).add(found.outcome)
    })
    stage.progress(at + 1, trials)
  }
  return {
    rows: [kept.row('every other one had its token'), lost.row('it is said (4)')],
    broken: [...kept.broken(), ...lost.broken()],
  }
}

async function shootThird(stage: Stage, trial: Trial, library: Program, processes: number) {
  const { issuer } = trial
  let started = 0
  const crowd = await crowdOf(processes, () => {
    const at = started++
    const running = startKind(trial, library, at, processes)
    if (at % 3 === 0) void killLater(running, stage.random.next() * FIRE)
    return running
  })
  const { outcome, lost, next } = await aftermath(trial)
  const survivors = crowd.ends.flatMap((ended, at) => (ended.exitCode === null ? [] : [{ ended, at }]))
  const told = [next, ...crowd.ends].some((ended) => toldOfLoss(ended).length === 0)
  const broken = lost
    ? [
        ...survivors.flatMap(({ ended, at }) => complaints(asReport(ended, at), issuer)),
        ...unless(told, 'nobody said how the login was lost'),
      ]
    : [
        ...survivors.flatMap(({ ended, at }) => judge(ended, at, trial)),
        ...endsWith(next, 0, 'the next call'),
        ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
      ]
  return { lost, outcome: { ...outcome, broken: [...(outcome.broken ?? []), ...broken] } }
}

async function killLater(running: Running, after: number): Promise<void> {
  await setTimeout(after)
  running.signal('SIGKILL')
}

function startKind(trial: Trial, library: Program, at: number, wait: number): Running {
  const { words } = kindOf(at)
  const { home, folder } = trial
  return words[0] === 'library'
    ? library.start(words, { home, temporary: folder, wait })
    : trial.start(words, { wait })
}

/** A report is printed whatever it says: that a login is lost is no failure to print it. */
function asReport(ended: Ended, at: number): Ended {
  const isReport = kindOf(at).words[0] === 'status' && ended.exitCode === 4
  return isReport ? { ...ended, exitCode: 0 } : ended
}

function judge(ended: Ended, at: number, { issuer }: Trial): string[] {
  const { words, prints } = kindOf(at)
  const name = words.join(' ')
  return [
    ...complaints(ended, issuer),
    ...endsWith(ended, 0, name),
    ...unless(
      prints !== 'token' || ended.exitCode !== 0 || issuer.accepts(ended.stdout.trim()),
      `${name} printed a token that the provider does not accept`,
    ),
  ]
}

function sameWords(ends: readonly Ended[], what: 'token' | 'key'): string[] {
  const printed = new Set(ends.filter((_, at) => kindOf(at).prints === what).map(({ stdout }) => stdout))
  return unless(printed.size === 1, `they printed ${printed.size} different ${what}s`)
}
