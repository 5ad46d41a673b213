import { signIn, type Page } from '../../test/support/sign-in.ts'
import { eachOf } from '../each-of.ts'
import { duration } from '../figures.ts'
import { hostileRequest } from '../listener-broken-requests.ts'
import { CALLBACK, right } from '../listener-requests.ts'
import { loopbackAddresses, send, Siege, type Address } from '../listener-siege.ts'
import { detailOf, faultsIn, faultsOf, peakMemory, type Answered } from '../listener-verdict.ts'
import type { Ended, Running } from '../program.ts'
import type { Findings, Scenario, Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inTrial, type Trial } from '../trial.ts'
import { complaints, endsWith, outcomeOf, printsToken, unless } from '../verdict.ts'

/** Requests that are under way at the same time. */
const AT_ONCE = 50
const SLOW = 20
/** Of all requests, so many come while the browser does. */
const MEANWHILE = 0.05
/** MB, above what the program has when it begins to wait. */
const MOST_MEMORY = 100
/** Milliseconds from the success to the end of the process. */
const MOST_LINGERING = 1000
/** Milliseconds; then it is ended, so that the others can be tried. */
const LONGEST_LINGERING = 10_000

export const listener: Scenario = {
  name: 'listener',
  rule:
    'Every hostile request to a sign-in that waits is refused with a 4xx or a closed connection, and gets to see ' +
    'nothing. Among hundreds of idle and slow connections the browser still comes through; the process takes at ' +
    `most ${MOST_MEMORY} MB more than before, and has ended ${MOST_LINGERING} ms after the success.`,
  run: (stage) => inTrial(stage, (trial) => besiege(stage, trial)),
}

/** A sign-in that waits for its redirect. */
interface Waiting {
  readonly running: Running
  readonly authorization: string
  readonly state: string
  readonly addresses: readonly Address[]
}

async function besiege(stage: Stage, trial: Trial): Promise<Findings> {
  const waiting = await begin(trial)
  const siege = new Siege(waiting.addresses)
  const forget = stage.atEnd(() => siege.close())
  try {
    return await judge(trial, waiting, siege, await attack(stage, waiting, siege))
  } finally {
    forget()
    siege.close()
    waiting.running.signal('SIGKILL')
  }
}

async function begin({ start, issuer }: Trial): Promise<Waiting> {
  const flags = ['--no-browser', '--issuer', issuer.issuer, '--port', '0', '--timeout', '15m']
  const running = start(['login', ...flags], { wait: 900 })
  const [, authorization = ''] = await running.says(/^(https?:\S+)\n/m)
  await running.says(/^Waiting /m)
  const { searchParams } = new URL(authorization)
  const port = Number(new URL(searchParams.get('redirect_uri') ?? '').port)
  const state = searchParams.get('state') ?? ''
  return { running, authorization, state, addresses: loopbackAddresses(port) }
}

interface Attacked {
  readonly answered: readonly Answered[]
  /** Those that came with the browser or after it; the listener may have gone before. */
  readonly late: readonly Answered[]
  readonly login: Ended
  /** The last page that the browser saw. `undefined`: it saw none. */
  readonly page: Page | undefined
  /** Milliseconds from the success to the end of the process. */
  readonly lingered: number
  /** MB. `undefined`: this system does not tell. */
  readonly memory: { readonly before: number; readonly growth: number } | undefined
  /** How many idle and slow connections were open at the success. */
  readonly open: number
  readonly slowRefused: boolean
}

async function attack(stage: Stage, waiting: Waiting, siege: Siege): Promise<Attacked> {
  const { running, state } = waiting
  const before = peakMemory(running.pid)
  const [idle, requests] = stage.short ? [200, 1000] : [500, 20_000]
  const port = waiting.addresses[0]?.port ?? 0
  const slow = siege.slow(SLOW, `GET ${CALLBACK}?${right(state)} HTTP/1.1\r\nHost: localhost:${port}\r\nX: `)
  // By itself first: idle connections are ended before they are late, and so are these among them.
  const slowRefused = stage.short || (await slow)
  await siege.idle(idle)
  const first = Math.round(requests * (1 - MEANWHILE))
  const answered = await fire(stage, waiting, [0, first], (done) => stage.progress(done, requests))
  // Most of the first ones have been ended by now.
  await siege.idle(idle)
  const [late, ended] = await Promise.all([
    fire(stage, waiting, [first, requests]),
    finish(waiting, siege, before),
  ])
  return { answered, late, slowRefused, ...ended }
}

function fire(
  { random }: Stage,
  { addresses, state }: Waiting,
  [from, to]: readonly [number, number],
  progress?: (done: number) => void,
): Promise<Answered[]> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at)
  return eachOf(
    numbers,
    AT_ONCE,
    async (at) => {
      const own = random.branch(`request ${at}`)
      const address = own.pick(addresses)
      const request = hostileRequest(own, { port: address.port, state })
      return { kind: request.kind, reply: await send(address, request) }
    },
    progress,
  )
}

/** The person signs in. */
async function finish(
  { running, authorization }: Waiting,
  siege: Siege,
  before: number | undefined,
): Promise<Pick<Attacked, 'login' | 'page' | 'lingered' | 'memory' | 'open'>> {
  let peak = peakMemory(running.pid)
  let succeeded = Infinity
  let open = 0
  const success = (): void => {
    if (succeeded < Infinity) return
    succeeded = performance.now()
    open = siege.open
    peak = peakMemory(running.pid) ?? peak
  }
  const said = running.says(/^Signed in /m).then(success, () => undefined)
  // What it found instead of a page shows in how the sign-in ends.
  const page = await signIn(authorization).catch(() => undefined)
  if (page?.status === 200) success()
  else running.signal('SIGTERM')
  const hung = setTimeout(() => running.signal('SIGKILL'), LONGEST_LINGERING)
  const login = await running.ended
  clearTimeout(hung)
  const lingered = succeeded < Infinity ? performance.now() - succeeded : 0
  await said
  const memory = before === undefined || peak === undefined ? undefined : { before, growth: peak - before }
  return { login, page, lingered, memory, open }
}

async function judge(trial: Trial, waiting: Waiting, siege: Siege, found: Attacked): Promise<Findings> {
  const { issuer } = trial
  const late = found.late.filter(({ reply }) => reply.end !== 'not accepted')
  const all = [...found.answered, ...late]
  const tally = new Tally('hostile requests to a sign-in that waits')
  for (const one of all) tally.add({ broken: faultsOf(one, waiting.state) })
  const token = await trial.run(['token'])
  const answers = [...all.map(({ reply }) => reply.text), ...siege.replies]
  const shown = [...issuer.secrets].filter((secret) => answers.some((text) => text.includes(secret)))
  // The address that a person is shown has two of them in it.
  const secrets = new Set([...issuer.secrets].filter((secret) => !waiting.authorization.includes(secret)))
  const { broken, ...outcome } = outcomeOf(trial, [token], printsToken(token, issuer))
  const rest = new Tally('sign-in under hostile requests')
  rest.add({
    ...outcome,
    hangs: (outcome.hangs ?? 0) + (found.lingered > 5000 ? 1 : 0),
    broken: [
      ...broken,
      ...endsWith(found.login, 0, '`login`'),
      ...complaints(found.login, { secrets }),
      ...unless(found.page?.status === 200, `the browser saw ${found.page?.status ?? 'nothing'}, not 200`),
      ...unless(found.lingered < MOST_LINGERING, `it ended ${duration(found.lingered)} after the success`),
      ...unless(
        (found.memory?.growth ?? 0) < MOST_MEMORY,
        `it took ${found.memory?.growth.toFixed(0)} MB more`,
      ),
      ...unless(issuer.exchanges === 1, `${issuer.exchanges} codes reached the provider, not 1`),
      ...unless(shown.length === 0, `answers show ${shown.length} secrets`),
      ...unless(found.slowRefused, 'a request that comes byte by byte was let be'),
      ...siege.replies.flatMap((text) => faultsIn(text, waiting.state)),
    ],
  })
  const row = { ...rest.row(notesOf(found, siege)), fault: tally.fault, tried: all.length }
  return { rows: [row], details: [detailOf(all)], broken: [...tally.broken(), ...rest.broken()] }
}

function notesOf({ lingered, memory, open }: Attacked, { replies }: Siege): string {
  const { before, growth } = memory ?? {}
  const taken =
    growth === undefined ? 'not known here' : `${growth.toFixed(0)} MB above ${before?.toFixed(0)} MB`
  return (
    `${replies.length} slow requests refused; ${open} idle and slow connections open at the success, ended ` +
    `${duration(lingered)} after it; most memory ${taken}`
  )
}
