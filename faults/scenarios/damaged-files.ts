import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../../src/errors.ts'
import { exitCode, exitName } from '../../src/core/exit-code.ts'
import { damaged, type Damage } from '../damage.ts'
import { eachOf } from '../each-of.ts'
import { inMemory } from '../memory.ts'
import { together, type Detail, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, endsWith, outcomeOf, unless } from '../verdict.ts'

export const damagedFiles: Scenario = {
  name: 'damaged-files',
  rule:
    'A credential file, or the key, is damaged. Whatever is in it, the call ends with 6, never with "not signed in" (4), ' +
    'never with a stack trace; the provider is not asked, and the file is kept as it is.',
  run: async (stage) => together([await inProcess(stage), await throughProgram(stage)]),
}

interface Victim {
  readonly name: string
  path(trial: Trial): string
  /** A number that is damaged counts as none, so that the credential may still be read. */
  readonly mayBeRead: boolean
}

const VICTIMS: readonly Victim[] = [
  { name: 'credential', path: ({ credentialPath }) => credentialPath, mayBeRead: false },
  { name: 'key', path: ({ home }) => join(home, 'key'), mayBeRead: false },
  { name: 'generation', path: ({ home }) => join(home, 'profiles', 'default.generation'), mayBeRead: true },
]

/** Most of the tries are for the credential. */
function victimOf(at: number): Victim {
  const [credential, key, generation] = VICTIMS
  const chosen = at % 10 === 8 ? key : at % 10 === 9 ? generation : credential
  if (chosen === undefined) throw new Error('there is no such file')
  return chosen
}

/** The same reader as the program's, without starting it ten thousand times. */
async function inProcess(stage: Stage): Promise<Findings> {
  const times = stage.short ? 1500 : 10_000
  const tally = new Tally('damaged files, through the reader')
  const kinds = new Map<string, Map<string, number>>()
  const work = async (trial: Trial): Promise<void> => {
    const originals = new Map(VICTIMS.map((victim) => [victim, readFileSync(victim.path(trial))]))
    for (let at = 0; at < times; at++) {
      const victim = victimOf(at)
      const original = originals.get(victim) ?? Buffer.alloc(0)
      const damage = damaged(original, stage.random.branch(`reader ${at}`))
      replace(victim.path(trial), damage.bytes)
      const { found, broken } = readDamaged(trial, victim, damage)
      const counts = kinds.get(`${victim.name}: ${damage.kind}`) ?? new Map<string, number>()
      counts.set(found, (counts.get(found) ?? 0) + 1)
      kinds.set(`${victim.name}: ${damage.kind}`, counts)
      tally.add({ broken: broken.map((what) => `${victim.name}, try ${at}, ${damage.kind}: ${what}`) })
      replace(victim.path(trial), original)
      if (at % 500 === 0) stage.progress(at, times)
    }
  }
  await inMemory(stage, (folder) => inTrial(stage, work, { home: join(folder, 'home') }))
  return {
    rows: [tally.row('never "not signed in", never changed')],
    details: [detail(kinds)],
    broken: tally.broken(),
  }
}

/** As a new file: some file systems flush one that is cut to nothing and written again, which takes most of the time. */
function replace(path: string, bytes: Uint8Array): void {
  rmSync(path)
  writeFileSync(path, bytes, { mode: 0o600 })
}

function readDamaged(trial: Trial, victim: Victim, damage: Damage): { found: string; broken: string[] } {
  const kept = (): string[] =>
    unless(readFileSync(victim.path(trial)).equals(damage.bytes), 'the file was changed')
  try {
    const found = trial.read()
    if (found instanceof AuthError) {
      const exit = exitCode(exitName(found.code))
      return { found: found.code, broken: [...unless(exit === 6, `${found.code} (${exit})`), ...kept()] }
    }
    if (found === undefined) return { found: 'nothing', broken: ['it counts as nothing stored'] }
    return { found: 'read', broken: [...unless(victim.mayBeRead, 'it was read'), ...kept()] }
  } catch (error) {
    return { found: 'a bug', broken: [`${error instanceof Error ? error.name : 'something'} was thrown`] }
  }
}

async function throughProgram(stage: Stage): Promise<Findings> {
  const tally = new Tally('damaged files, through the program')
  const tries = Array.from({ length: stage.short ? 10 : 200 }, (_, at) => at)
  await eachOf(
    tries,
    stage.width,
    (at) => inTrial(stage, (trial) => runDamaged(stage, trial, at, tally)),
    stage.progress,
  )
  return { rows: [tally.row('exit 6, provider not asked, file kept')], broken: tally.broken() }
}

async function runDamaged(stage: Stage, trial: Trial, at: number, tally: Tally): Promise<void> {
  const victim = victimOf(at)
  const path = victim.path(trial)
  const original = readFileSync(path)
  const random = stage.random.branch(`program ${at}`)
  const { kind, bytes } = damaged(original, random)
  replace(path, bytes)
  const command = random.pick(['token', 'token', 'refresh', 'status'])
  const ended = await trial.run([command])
  const { issuer } = trial
  const broken = victim.mayBeRead
    ? unless(ended.exitCode === 0 || ended.exitCode === 6, `it ended with ${ended.exitCode}`)
    : [
        ...endsWith(ended, 6),
        ...unless(issuer.requests.length === 0, 'the provider was asked'),
        ...unless(existsSync(path) && readFileSync(path).equals(bytes), 'the file was changed'),
      ]
  const said = command === 'status' ? [] : complaints(ended, issuer)
  if (!victim.mayBeRead) replace(path, original)
  const where = `${victim.name}, ${command}, try ${at}, ${kind}`
  const outcome = victim.mayBeRead
    ? { refreshes: issuer.refreshes, spentTwice: issuer.spentTwice, hangs: ended.hung ? 1 : 0 }
    : outcomeOf(trial, [], [])
  tally.add({
    ...outcome,
    hangs: ended.hung ? 1 : 0,
    broken: [...said, ...broken].map((what) => `${where}: ${what}`),
  })
}

function detail(kinds: ReadonlyMap<string, ReadonlyMap<string, number>>): Detail {
  const entries = [...kinds].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return {
    title: 'Damaged files, and what the reader said',
    columns: ['damage', 'said'],
    lines: entries.map(([kind, counts]) => [
      kind,
      [...counts].map(([found, count]) => `${found} ${count}`).join(', '),
    ]),
  }
}
