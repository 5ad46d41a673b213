import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { acquireLock } from '../../src/adapters/store/lock.ts'
import { AuthError } from '../../src/errors.ts'
import { plantDamagedLock, type DamagedLock } from '../damaged-lock.ts'
import { eachOf } from '../each-of.ts'
import { inMemory } from '../memory.ts'
import type { Ended } from '../program.ts'
import { together, type Detail, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { firstLine, outcomeOf, printsToken, unless } from '../verdict.ts'

/** Seconds that the program waits for a lock in these trials. */
const LOCK_WAIT = 1

export const damagedLocks: Scenario = {
  name: 'damaged-locks',
  rule:
    "A lock's folder, or its owner's record, is damaged, or something else lies in its place. Nobody hangs, nobody " +
    'crashes, nothing outside is touched, the lock of a process that gave a sign of life just now is not taken, and the ' +
    'refresh token is spent once at most.',
  run: async (stage) => together([await inProcess(stage), await throughProgram(stage)]),
}

/** The same lock as the program's, without starting it ten thousand times. */
async function inProcess(stage: Stage): Promise<Findings> {
  const times = stage.short ? 800 : 10_000
  const tally = new Tally('damaged locks, through the lock')
  const kinds = new Map<string, Map<string, number>>()
  let slowest = 0
  await inMemory(stage, async (folder) => {
    const place = makePlace(folder)
    for (let at = 0; at < times; at++) {
      const { lock, result, elapsed } = await take(place, stage, at)
      slowest = Math.max(slowest, elapsed)
      const counts = kinds.get(lock.kind) ?? new Map<string, number>()
      counts.set(result, (counts.get(result) ?? 0) + 1)
      kinds.set(lock.kind, counts)
      const broken = [
        ...unless(/^(?:taken|store_busy|store_unwritable)$/.test(result), result),
        ...unless(
          !lock.guarded || result !== 'taken',
          'taken from a process that gave a sign of life just now',
        ),
        ...unless(isWhole(lock), 'something outside was touched'),
      ]
      tally.add({
        hangs: elapsed > 5000 ? 1 : 0,
        broken: broken.map((what) => `try ${at}, ${lock.kind}: ${what}`),
      })
      if (at % 200 === 0) stage.progress(at, times)
    }
  })
  return {
    rows: [tally.row(`one attempt each, the slowest ${slowest.toFixed(0)} ms`)],
    details: [detail(kinds)],
    broken: tally.broken(),
  }
}

interface Place {
  readonly path: string
  readonly outside: string
}

function makePlace(folder: string): Place {
  const outside = join(folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'witness'), 'untouched')
  return { path: join(folder, 'profiles', 'default.lock'), outside }
}

function isWhole({ witness }: DamagedLock): boolean {
  return existsSync(witness) && readFileSync(witness, 'utf8') === 'untouched'
}

async function take(
  { path, outside }: Place,
  stage: Stage,
  at: number,
): Promise<{ lock: DamagedLock; result: string; elapsed: number }> {
  rmSync(dirname(path), { recursive: true, force: true })
  mkdirSync(dirname(path), { mode: 0o700 })
  const random = stage.random.branch(`lock ${at}`)
  const lock = plantDamagedLock(path, outside, random)
  const started = performance.now()
  // Without patience, one look at an old heartbeat is enough, so that both ways are gone.
  const patience = random.pick([0, 5])
  const result = await acquireLock(path, { deadline: 0, patience }).then(
    async (acquired) => {
      if (!('handle' in acquired)) return 'settled'
      await acquired.handle.release()
      return existsSync(path) ? 'taken, and not released' : 'taken'
    },
    (error: unknown) => (error instanceof AuthError ? error.code : `a bug: ${String(error)}`),
  )
  return { lock, result, elapsed: performance.now() - started }
}

async function throughProgram(stage: Stage): Promise<Findings> {
  const tally = new Tally('damaged locks, through two calls of the program at once')
  const tries = Array.from({ length: stage.short ? 5 : 100 }, (_, at) => at)
  // They wait more than they work.
  await eachOf(
    tries,
    2 * stage.width,
    (at) => inTrial(stage, (trial) => runTwo(stage, trial, at, tally)),
    stage.progress,
  )
  return {
    rows: [tally.row(`0, or 7 after lock_wait (${LOCK_WAIT} s); without the lock, the next call works`)],
    broken: tally.broken(),
  }
}

async function runTwo(stage: Stage, trial: Trial, at: number, tally: Tally): Promise<void> {
  const { outside } = makePlace(trial.folder)
  writeFileSync(join(trial.home, 'config.json'), `{"lock_wait":${LOCK_WAIT}}`, { mode: 0o600 })
  const lock = plantDamagedLock(trial.lockPath, outside, stage.random.branch(`program ${at}`))
  const ends = await Promise.all([1, 2].map(() => trial.run(['token'], { wait: LOCK_WAIT })))
  const before = trial.issuer.refreshes
  rmSync(trial.lockPath, { recursive: true, force: true })
  const next = await trial.run(['token'])
  const broken = [
    ...ends.flatMap((ended) => rightEnd(ended)),
    ...unless(before <= 1, `${before} refreshes`),
    ...unless(!lock.guarded || before === 0, 'taken from a process that gave a sign of life just now'),
    ...unless(isWhole(lock), 'something outside was touched'),
    ...printsToken(next, trial.issuer, 'the next call'),
  ]
  tally.add(
    outcomeOf(
      trial,
      [...ends, next],
      broken.map((what) => `try ${at}, ${lock.kind}: ${what}`),
    ),
  )
}

function rightEnd({ exitCode, stderr }: Ended): string[] {
  return unless(exitCode === 0 || exitCode === 7, `one ended with ${exitCode}: ${firstLine(stderr)}`)
}

function detail(kinds: ReadonlyMap<string, ReadonlyMap<string, number>>): Detail {
  const entries = [...kinds].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return {
    title: 'Damaged locks, and what came of one attempt',
    columns: ['in its place', 'attempts'],
    lines: entries.map(([kind, counts]) => [
      kind,
      [...counts].map(([found, count]) => `${found} ${count}`).join(', '),
    ]),
  }
}
