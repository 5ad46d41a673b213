import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answers, hold } from '../../test/support/fake-issuer.ts'
import { mountSmallDisk, type SmallDisk } from '../../test/support/small-disk.ts'
import { API_KEY, keysMade, printsKey } from '../api-key.ts'
import type { Ended } from '../program.ts'
import { isThere, saysWhere } from '../rescue-verdict.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, outcomeOf, unless } from '../verdict.ts'

/** What happens to the files while the key is on its way. */
interface Meanwhile {
  readonly fault: string
  readonly notes: string
  make(trial: Trial): void
  mend(trial: Trial): void
  judge(trial: Trial, ended: Ended): string[]
}

export const keyDisk: Scenario = {
  name: 'key-disk',
  rule:
    'The disk fails, or the credential is damaged, while an API key is on its way. The key is kept, or it is said that it is ' +
    'lost; the refreshed login stays, and the next call has a key.',
  run: async (stage) =>
    together([
      await onDisk(stage, 'disk fills up', 0),
      await onDisk(stage, 'disk turns read-only', 7),
      ...(await Promise.all(ON_FILES.map((one) => whileOnItsWay(stage, one)))),
    ]),
}

const key = ({ home }: Trial): string => join(home, 'key')
const KEPT = 'exit 7, kept at a second place; the next call brings it back'
const kept: Meanwhile['judge'] = (trial, ended) => [
  ...endsWith(ended, 7),
  ...saysWhere(ended),
  ...isThere(trial),
]

const ON_FILES: readonly Meanwhile[] = [
  {
    fault: 'key of the files gone while an API key is on its way, and brought back',
    notes: 'kept; the next call has it',
    make: (trial) => renameSync(key(trial), `${key(trial)}.away`),
    mend: (trial) => renameSync(`${key(trial)}.away`, key(trial)),
    judge: () => [],
  },
  {
    fault: 'credential damaged while an API key is on its way',
    notes: 'saved all the same',
    make: ({ credentialPath }) => writeFileSync(credentialPath, 'garbage', { mode: 0o600 }),
    mend: () => {},
    judge: (trial, ended) => printsKey(trial, ended),
  },
]

async function whileOnItsWay(
  stage: Stage,
  { fault, notes, make, mend, judge }: Meanwhile,
  home?: string,
): Promise<Findings> {
  const tally = new Tally(fault)
  const work = async (trial: Trial): Promise<void> => {
    const held = hold()
    // The first answer is the refresh's.
    trial.issuer.nextAnswers.push(answers.genuine, held.answer)
    const running = trial.start(API_KEY)
    await Promise.race([held.arrived, running.ended])
    make(trial)
    held.release()
    const ended = await running.ended
    const broken = judge(trial, ended)
    mend(trial)
    const next = await trial.run(API_KEY)
    tally.add(
      outcomeOf(
        trial,
        [ended, next],
        [
          ...broken,
          ...printsKey(trial, next, 'the next call'),
          ...keysMade(trial, [1]),
          ...unless(trial.issuer.refreshes === 1, `${trial.issuer.refreshes} refreshes`),
        ],
      ),
    )
  }
  await inTrial(stage, work, home === undefined ? {} : { home })
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

async function onDisk(stage: Stage, what: string, exitCode: 0 | 7): Promise<Findings> {
  const fault = `${what} while an API key is on its way`
  const disk = mountSmallDisk()
  if (disk === undefined) return skipped(fault, 'nothing can be mounted here')
  const unmounted = stage.atEnd(disk.remove)
  try {
    return await whileOnItsWay(stage, onThe(disk, fault, exitCode), join(disk.path, 'home'))
  } finally {
    disk.remove()
    unmounted()
  }
}

function onThe(disk: SmallDisk, fault: string, exitCode: 0 | 7): Meanwhile {
  return exitCode === 0
    ? {
        fault,
        notes: 'saved all the same',
        make: () => disk.fill(),
        mend: () => disk.empty(),
        judge: (trial, ended) => printsKey(trial, ended),
      }
    : {
        fault,
        notes: KEPT,
        make: () => disk.setReadOnly(true),
        mend: () => disk.setReadOnly(false),
        judge: kept,
      }
}
