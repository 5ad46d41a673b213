import { credentialOf } from '../../test/support/fake-issuer.ts'
import { deadPid, plantLock } from '../../test/support/lock-records.ts'
import { sealCredential } from '../../src/adapters/store/sealed-file.ts'
import { loadFileKey } from '../../src/adapters/store/keys/file.ts'
import { writeRescue } from '../../src/adapters/store/rescue.ts'
import { eachOf } from '../each-of.ts'
import { duration } from '../figures.ts'
import { afterKill, notSlow, usualTime, WINDOW_NOTES, type AfterKill, type Moment } from '../kill.ts'
import { replacedTokens } from '../replaced-tokens.ts'
import { skipped, type Detail, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { whyNoStrace, type Step } from '../strace.ts'
import { Tally } from '../tally.ts'
import { interfered, savingIn, sendingIn, stepsOfToken, writtenIn } from '../traced-refresh.ts'
import { inTrial, type Trial } from '../trial.ts'
import { unless } from '../verdict.ts'

/** What a call can find when it begins. Each has steps that the ones before do not have. */
const BEGINNINGS: readonly { name: string; prepare(trial: Trial): Promise<void> }[] = [
  { name: 'a refresh', prepare: async () => {} },
  { name: "taking over a dead process's lock", prepare: leaveDeadLock },
  { name: 'putting a rescued answer into its place', prepare: leaveRescue },
]

interface Kill {
  readonly beginning: (typeof BEGINNINGS)[number]
  readonly step: Step
  /** By its place in the list. `undefined`: nothing is sent in this call. */
  readonly expected: Moment | undefined
  /** Before it, nobody but the process has the answer. */
  readonly mayLose: boolean
}

export const killedAtStep: Scenario = {
  name: 'killed-at-step',
  rule:
    'A `token` call is killed right before each of its system calls on its files and its connection, one after the ' +
    'other. The next call works, at most 1 s later than usual, unless the provider had taken the refresh token and its ' +
    'answer was not yet written.',
  run: async (stage) => {
    const why = whyNoStrace()
    return why === undefined ? killEverywhere(stage) : skipped('SIGKILL at every step', why)
  },
}

async function killEverywhere(stage: Stage): Promise<Findings> {
  const all = await everyKill(stage)
  const kills = stage.short ? someOf(stage, all) : all
  const usual = await usualTime(stage)
  const found = await eachOf(
    kills,
    stage.width,
    (kill) => notSlow(() => killedThere(stage, kill, usual)),
    stage.progress,
  )
  const safe = new Tally('SIGKILL at every step, refresh token not sent, or answer saved')
  const window = new Tally('SIGKILL at every step between sending and saving', { inevitable: true })
  for (const { moment, outcome } of found) (moment === 'in the window' ? window : safe).add(outcome)
  const slowest = Math.max(...found.map(({ slower }) => slower))
  return {
    rows: [
      safe.row(
        `${all.length} steps found${stage.short ? ', some of them tried' : ''}; next call at most ${duration(Math.max(0, slowest))} slower`,
      ),
      window.row(WINDOW_NOTES),
    ],
    details: [detail(kills, found)],
    broken: [...safe.broken(), ...window.broken()],
  }
}

/** Of both kinds. */
function someOf({ random }: Stage, all: readonly Kill[]): Kill[] {
  const inWindow = ({ expected }: Kill): boolean => expected === 'in the window'
  return [
    ...random.sample(all.filter(inWindow), 3),
    ...random.sample(
      all.filter((kill) => !inWindow(kill)),
      10,
    ),
  ]
}

async function everyKill(stage: Stage): Promise<Kill[]> {
  const seen = new Set<string>()
  const kills: Kill[] = []
  for (const beginning of BEGINNINGS) {
    const steps = await inTrial(stage, async (trial) => {
      await beginning.prepare(trial)
      return stepsOfToken(trial)
    })
    const expected = beginning.name === 'a refresh' ? expectations(steps) : () => NOTHING_SENT
    const fresh = steps.map((step, at): Kill => ({ beginning, step, ...expected(at) }))
    kills.push(...fresh.filter(({ step }) => !seen.has(step.name)))
    for (const { name } of steps) seen.add(name)
  }
  return kills
}

type Expectation = Pick<Kill, 'expected' | 'mayLose'>

const NOTHING_SENT: Expectation = { expected: undefined, mayLose: false }

function expectations(steps: readonly Step[]): (at: number) => Expectation {
  const [sending, written, saving] = [sendingIn(steps), writtenIn(steps), savingIn(steps)]
  return (at) => {
    if (at <= sending) return { expected: 'before sending', mayLose: false }
    return { expected: at <= saving ? 'in the window' : 'after saving', mayLose: at <= written }
  }
}

function killedThere(
  stage: Stage,
  { beginning, step, expected, mayLose }: Kill,
  usual: number,
): Promise<AfterKill> {
  const opened = <R>(work: (trial: Trial) => Promise<R>): Promise<R> =>
    inTrial(stage, async (trial) => {
      await beginning.prepare(trial)
      return work(trial)
    })
  return interfered(step, 'signal=SIGKILL', opened, async (trial, killed) => {
    const after = await afterKill(trial, usual)
    const { outcome, moment } = after
    const broken = [
      ...(outcome.broken ?? []),
      ...unless(killed.exitCode === null, 'it was not killed'),
      ...unless(expected === undefined || moment === expected, `it was ${moment}, and not ${expected}`),
      ...unless(!after.lost || mayLose, 'the answer was written by then, and is lost'),
    ]
    const where = `before ${step.name} (call ${step.nth} of ${step.syscall}) in ${beginning.name}`
    return { ...after, outcome: { ...outcome, broken: broken.map((what) => `${where}: ${what}`) } }
  })
}

async function leaveDeadLock({ lockPath }: Trial): Promise<void> {
  plantLock(lockPath, { owner: { pid: deadPid() }, spending: 'a'.repeat(64) })
}

/** An answer of the provider that could not take its place. */
async function leaveRescue(trial: Trial): Promise<void> {
  const { login, home } = trial
  const credential = {
    ...credentialOf(login),
    ...(await replacedTokens(trial, login.refreshToken)),
    expiresAt: Math.floor(Date.now() / 1000) + 3600,
  }
  writeRescue(home, 'default', sealCredential(loadFileKey(home), 'default', { credential, generation: 2 }))
}

function detail(kills: readonly Kill[], found: readonly AfterKill[]): Detail {
  return {
    title: 'SIGKILL right before each step',
    columns: ['in', 'step', 'killed', 'next call'],
    lines: kills.map(({ beginning, step }, at) => {
      const { moment = 'before sending', lost = false, outcome = {} } = found[at] ?? {}
      const works = lost ? 'login over (4)' : 'works'
      return [beginning.name, step.name, moment, outcome.broken?.length ? 'NOT AS IT SHOULD BE' : works]
    }),
  }
}
