import { AuthError } from '../../src/errors.ts'
import type { Credential } from '../../src/core/credential.ts'
import { deadPid, plantLock } from '../../test/support/lock-records.ts'
import { eachOf } from '../each-of.ts'
import type { Detail, Scenario, Stage } from '../scenario.ts'
import { Tally, type Outcome } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { endsWith, outcomeOf, unless } from '../verdict.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** A clock that is wrong, or was put right, as it shows in what is stored and in what the provider says. */
interface ClockFault {
  readonly name: string
  /** Seconds from now; what is not named is as usual: the access token ended a minute ago. */
  readonly times?: { readonly obtained?: number; readonly expires?: number }
  /** Seconds by which the provider's clock is ahead. */
  readonly provider?: number
  /** Seconds since the last heartbeat of a lock that a dead process left; negative is in the future. */
  readonly deadLock?: number
  /** Requests of the first call; the second one makes none. */
  readonly requests: 0 | 1
  /** The stored times say that a token lives which the provider takes for over. */
  readonly tokenIsOver?: boolean
}

const FAULTS: readonly ClockFault[] = [
  {
    name: 'clock set back a day since the token came',
    times: { obtained: DAY, expires: DAY + HOUR },
    requests: 0,
    tokenIsOver: true,
  },
  {
    name: 'clock set forward a day since the token came',
    times: { obtained: -DAY, expires: -DAY + HOUR },
    requests: 1,
  },
  {
    name: 'clock set forward thirty years',
    times: { obtained: -30 * 365 * DAY, expires: -30 * 365 * DAY },
    requests: 1,
  },
  { name: 'obtained in the future, about to end', times: { obtained: HOUR, expires: -1 }, requests: 1 },
  { name: 'ends at the beginning of time', times: { expires: -Math.floor(Date.now() / 1000) }, requests: 1 },
  { name: "provider's clock an hour ahead", provider: HOUR, requests: 1 },
  { name: "provider's clock an hour behind", provider: -HOUR, requests: 1 },
  { name: "provider's clock a day ahead", provider: DAY, requests: 1 },
  { name: "provider's clock a day behind", provider: -DAY, requests: 1 },
  { name: "a dead process's lock, its heartbeat an hour ahead", deadLock: -HOUR, requests: 1 },
  { name: "a dead process's lock, its heartbeat a day old", deadLock: DAY, requests: 1 },
  {
    name: 'clock was an hour ahead at the last refresh, and is right now',
    times: { expires: HOUR },
    requests: 0,
    tokenIsOver: true,
  },
]

export const clock: Scenario = {
  name: 'clock',
  rule:
    "Clocks jump, or differ from the provider's. The login stays, one refresh is sent at most, and the second call " +
    'sends none. A token can be taken for living that is over; then `refresh` helps.',
  run: async (stage) => {
    const tally = new Tally('clocks that are wrong, or were put right')
    const tried = await eachOf(FAULTS, stage.width, (fault) => tryFault(stage, fault), stage.progress)
    for (const { outcome } of tried) tally.add(outcome)
    return { rows: [tally.row(`${FAULTS.length} kinds`)], details: [detail(tried)], broken: tally.broken() }
  },
}

interface Tried {
  readonly fault: ClockFault
  readonly requests: number
  readonly accepted: boolean
  readonly outcome: Outcome
}

function tryFault(stage: Stage, fault: ClockFault): Promise<Tried> {
  return inTrial(
    stage,
    async (trial) => {
      const { issuer } = trial
      issuer.behaviour.clockOffset = fault.provider ?? 0
      if (fault.deadLock !== undefined)
        plantLock(trial.lockPath, { owner: { pid: deadPid() }, age: fault.deadLock })
      const first = await trial.run(['token'])
      const requests = issuer.refreshes
      const second = await trial.run(['token'])
      const more = issuer.refreshes - requests
      const accepted = issuer.accepts(second.stdout.trim())
      const broken = [
        ...endsWith(first, 0),
        ...endsWith(second, 0, 'the next call'),
        ...unless(requests === fault.requests, `${requests} refreshes, not ${fault.requests}`),
        ...unless(more === 0, `the next call refreshed again`),
        ...(fault.tokenIsOver
          ? await refreshHelps(trial)
          : unless(accepted, 'the provider does not accept the token')),
        ...(fault.requests === 1 ? rightEnd(trial) : []),
      ].map((what) => `${fault.name}: ${what}`)
      return { fault, requests, accepted, outcome: outcomeOf(trial, [first, second], broken) }
    },
    { changes: changesOf(fault) },
  )
}

function changesOf({ times = {} }: ClockFault): Partial<Credential> {
  const now = Math.floor(Date.now() / 1000)
  return {
    ...(times.obtained !== undefined && { obtainedAt: now + times.obtained }),
    ...(times.expires !== undefined && { expiresAt: now + times.expires }),
  }
}

async function refreshHelps(trial: Trial): Promise<string[]> {
  const forced = await trial.run(['refresh', '--quiet'])
  const { stdout } = await trial.run(['token'])
  return [
    ...endsWith(forced, 0, '`refresh`'),
    ...unless(trial.issuer.accepts(stdout.trim()), '`refresh` did not help'),
  ]
}

/** By this machine's clock, whatever the provider's says. */
function rightEnd(trial: Trial): string[] {
  const stored = trial.read()
  if (stored === undefined || stored instanceof AuthError) return ['the credential cannot be read']
  const left = (stored.credential.expiresAt ?? 0) - Date.now() / 1000
  return unless(Math.abs(left - HOUR) < 60, `the token is taken to live ${left.toFixed(0)} s, not ${HOUR}`)
}

function detail(tried: readonly Tried[]): Detail {
  return {
    title: 'Clocks that are wrong, or were put right',
    columns: ['clock', 'refreshes', 'token accepted'],
    lines: tried.map(({ fault, requests, accepted }) => [
      fault.name,
      String(requests),
      accepted ? 'yes' : 'no: `refresh` helps',
    ]),
  }
}
