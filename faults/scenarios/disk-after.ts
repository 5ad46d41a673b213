import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hold } from '../../test/support/fake-issuer.ts'
import { mountSmallDisk, type SmallDisk } from '../../test/support/small-disk.ts'
import type { RunOptions } from '../program.ts'
import { skipped, together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { adopted, saysWhere } from '../rescue-verdict.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, outcomeOf, unless } from '../verdict.ts'

export const diskAfter: Scenario = {
  name: 'disk-after',
  rule:
    'The disk fails when the provider has answered. The answer is kept at a second place, the call says where (`refresh` ' +
    'ends with 7, `token` hands out the new token with a warning), and the next one puts it where it belongs: the ' +
    'provider is not asked again.',
  run: async (stage) =>
    together([
      await onDisk(
        stage,
        'disk turns read-only while the answer is on its way',
        7,
        (disk) => disk.setReadOnly(true),
        (disk) => disk.setReadOnly(false),
      ),
      await onDisk(
        stage,
        'disk fills up while the answer is on its way',
        0,
        (disk) => disk.fill(),
        (disk) => disk.empty(),
      ),
      ...(await Promise.all(MEANWHILE.map((one) => withFault(stage, one)))),
    ]),
}

/** What happens between the sending and the saving. */
interface Meanwhile {
  readonly fault: string
  readonly exitCode: 0 | 7
  make(trial: Trial): void
  mend(trial: Trial): void
  readonly home?: string
  readonly options?: Partial<RunOptions>
  /** There is no place left at which the answer could be kept. */
  readonly inevitable?: boolean
}

const nothing = (): void => {}
const folder = ({ credentialPath }: Trial): string => dirname(credentialPath)
const key = ({ home }: Trial): string => join(home, 'key')

const MEANWHILE: readonly Meanwhile[] = [
  {
    fault: 'folder of the credential removed while the answer is on its way',
    exitCode: 7,
    make: (trial) => rmSync(folder(trial), { recursive: true }),
    mend: nothing,
  },
  {
    fault: 'credential removed while the answer is on its way',
    exitCode: 0,
    make: ({ credentialPath }) => rmSync(credentialPath),
    mend: nothing,
  },
  {
    fault: 'credential damaged while the answer is on its way',
    exitCode: 0,
    make: ({ credentialPath }) => writeFileSync(credentialPath, 'garbage', { mode: 0o600 }),
    mend: nothing,
  },
  {
    fault: 'key gone while the answer is on its way, and brought back',
    exitCode: 7,
    make: (trial) => renameSync(key(trial), `${key(trial)}.away`),
    mend: (trial) => renameSync(`${key(trial)}.away`, key(trial)),
  },
  {
    fault: 'folder of the credential removed, and no folder for temporary files',
    exitCode: 7,
    make: (trial) => rmSync(trial.home, { recursive: true }),
    mend: nothing,
    options: { temporary: '/nonexistent' },
    inevitable: true,
  },
]

async function withFault(
  stage: Stage,
  { fault, exitCode, make, mend, home, options, inevitable }: Meanwhile,
): Promise<Findings> {
  const tally = new Tally(fault, { inevitable: inevitable === true })
  const work = async (trial: Trial): Promise<void> => {
    const held = hold()
    trial.issuer.nextAnswers.push(held.answer)
    const running = trial.start([exitCode === 7 ? 'refresh' : 'token'], options)
    await Promise.race([held.arrived, running.ended])
    make(trial)
    held.release()
    const ended = await running.ended
    mend(trial)
    if (inevitable) {
      const said = unless(
        /could not be kept anywhere and are lost/.test(ended.stderr),
        'the loss was not told',
      )
      tally.add({
        refreshes: trial.issuer.refreshes,
        lost: 1,
        broken: [...endsWith(ended, exitCode), ...said],
      })
      return
    }
    const broken = [...endsWith(ended, exitCode), ...(exitCode === 7 ? saysWhere(ended) : [])]
    const next = await trial.run(['token'])
    tally.add(outcomeOf(trial, [ended, next], [...broken, ...adopted(trial, next)]))
  }
  await inTrial(stage, work, home === undefined ? {} : { home })
  const notes =
    exitCode === 7 ? 'exit 7, kept at a second place; the next call brings it back' : 'saved all the same'
  return {
    rows: [tally.row(inevitable ? 'exit 7, and it says that the tokens are lost' : notes)],
    broken: tally.broken(),
  }
}

async function onDisk(
  stage: Stage,
  fault: string,
  exitCode: 0 | 7,
  make: (disk: SmallDisk) => void,
  mend: (disk: SmallDisk) => void,
): Promise<Findings> {
  const disk = mountSmallDisk()
  if (disk === undefined) return skipped(fault, 'nothing can be mounted here')
  const unmounted = stage.atEnd(disk.remove)
  try {
    const home = join(disk.path, 'home')
    return await withFault(stage, { fault, exitCode, make: () => make(disk), mend: () => mend(disk), home })
  } finally {
    disk.remove()
    unmounted()
  }
}
