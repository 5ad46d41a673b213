import { chmodSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mountSmallDisk, type SmallDisk } from '../../test/support/small-disk.ts'
import { eachOf } from '../each-of.ts'
import type { Ended } from '../program.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial, type TrialOptions } from '../trial.ts'
import { UNUSABLE, type FileFault } from '../unusable-files.ts'
import { endsWith, outcomeOf, printsToken, unless } from '../verdict.ts'

export const diskBefore: Scenario = {
  name: 'disk-before',
  rule:
    'An answer could not be kept, or the key that seals it cannot be had: the provider is not asked, nothing changes, ' +
    'and the next call, with the fault gone, works.',
  run: async (stage) => {
    const full = { make: (disk: SmallDisk) => disk.fill(), mend: (disk: SmallDisk) => disk.empty() }
    const almostFull = { make: leaveLittle, mend: full.mend }
    const readOnly = {
      make: (disk: SmallDisk) => disk.setReadOnly(true),
      mend: (disk: SmallDisk) => disk.setReadOnly(false),
    }
    const found = [
      await onDisk(stage, 'full disk', full),
      await onDisk(stage, 'disk with room for a lock, and not for an answer', almostFull),
      await onDisk(stage, 'read-only disk', readOnly),
      await tryFaults(stage, 'no permission to write', [withoutPermission()], 7),
    ]
    for (const { fault, exitCode, kinds } of UNUSABLE)
      found.push(await tryFaults(stage, fault, kinds, exitCode))
    return together(found)
  },
}

type Placed = FileFault & { readonly options?: TrialOptions }

async function tryFaults(
  stage: Stage,
  fault: string,
  kinds: readonly Placed[],
  exitCode: number,
): Promise<Findings> {
  const tally = new Tally(fault)
  const all = Array.from({ length: stage.short ? 1 : 5 }, () => kinds).flat()
  await eachOf(all, stage.width, (one) =>
    inTrial(stage, (trial) => tryFault(trial, one, exitCode, tally), one.options),
  )
  const notes = `exit ${exitCode}, provider not asked; then mended, and it works`
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

async function tryFault(trial: Trial, one: Placed, exitCode: number, tally: Tally): Promise<void> {
  const before = trial.bytes()
  one.make(trial)
  const ended = await trial.run(['token'], { wait: 1 })
  const asked = trial.issuer.requests.length
  one.mend(trial)
  const same = before !== undefined && trial.bytes()?.equals(before) === true
  const next = await trial.run(['token'])
  trial.takeBack()
  const broken = [
    ...judged(ended, exitCode, asked, same),
    ...printsToken(next, trial.issuer, 'the next call'),
  ].map((what) => `${one.kind}: ${what}`)
  tally.add(outcomeOf(trial, [ended, next], broken))
}

function judged(ended: Ended, exitCode: number, asked: number, same: boolean): string[] {
  return [
    ...endsWith(ended, exitCode),
    ...unless(asked === 0, `the provider was asked ${asked} times`),
    ...unless(same, 'the credential changed'),
  ]
}

interface DiskFault {
  make(disk: SmallDisk): void
  mend(disk: SmallDisk): void
}

/** Bytes. A lock takes a page or two, an answer's reserve sixteen. */
const LITTLE = 32 * 1024

function leaveLittle(disk: SmallDisk): void {
  disk.fill()
  const filler = readdirSync(disk.path, { withFileTypes: true }).find((entry) => entry.isFile())
  const path = join(disk.path, filler?.name ?? '')
  truncateSync(path, statSync(path).size - LITTLE)
}

async function onDisk(stage: Stage, fault: string, { make, mend }: DiskFault): Promise<Findings> {
  const disk = mountSmallDisk()
  if (disk === undefined) return skipped(fault, 'nothing can be mounted here')
  const forget = stage.atEnd(disk.remove)
  const tally = new Tally(fault)
  const one = { kind: 'in memory', make: () => make(disk), mend: () => mend(disk) }
  try {
    for (let at = 0; at < (stage.short ? 1 : 5); at++) {
      const options = { home: join(disk.path, `home-${at}`) }
      await inTrial(stage, (trial) => tryFault(trial, one, 7, tally), options)
    }
  } finally {
    forget()
    disk.remove()
  }
  return {
    rows: [tally.row('exit 7, provider not asked; then mended, and it works')],
    broken: tally.broken(),
  }
}

/** As the number of the user without rights is on every Linux. */
const NOBODY = 65_534

/** An administrator may do anything, so that somebody else has to try. */
function withoutPermission(): Placed {
  return {
    kind: 'folder without the right to write',
    make: ({ credentialPath }) => chmodSync(dirname(credentialPath), 0o500),
    mend: ({ credentialPath }) => chmodSync(dirname(credentialPath), 0o700),
    options: process.getuid?.() === 0 ? { user: NOBODY } : {},
  }
}
