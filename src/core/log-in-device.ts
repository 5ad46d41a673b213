import { AuthError } from '../errors.ts'
import { isPassing } from './exit-code.ts'
import type { LogInPorts } from './log-in.ts'
import type { DeviceAuthorization, Provider, ProviderChoice, Tokens } from './ports.ts'
import {
  credentialOf,
  proveWritable,
  revokePrevious,
  saveLogin,
  type AccountRules,
  type LoggedIn,
} from './save-login.ts'

/** Seconds. RFC 8628, section 3.5: how much further apart polls come after each `slow_down`. */
const SLOWER = 5

/** Seconds. However often the provider is out of reach, it is asked again this soon. */
const LONGEST_PAUSE = 30

export interface DeviceRequest {
  readonly profile: string
  readonly provider: ProviderChoice
  readonly accounts: AccountRules
  /** Seconds the person has, where the code itself lasts longer. */
  readonly timeout: number
  /** What the person must be shown. Called once. */
  onCode(authorization: DeviceAuthorization): void
  /** Called about once a second. `left`: seconds until the code ends. */
  onWait(left: number): void
}

/**
 * Signs a person in who finishes on another device (RFC 8628, and OpenAI's variant). A provider that is out of reach for a
 * while does not end it.
 * @throws {AuthError} `login_denied`, `login_timeout`, `login_failed`; the reason of an interruption.
 */
export async function logInByDevice(request: DeviceRequest, ports: LogInPorts): Promise<LoggedIn> {
  const { profile, accounts } = request
  const provider = await ports.providers.open(request.provider)
  await proveWritable(profile, ports)
  await provider.discover(ports.interruption)
  ports.signIns.takeOver((signIn) => signIn.profile === profile)
  const announcement = ports.signIns.begin(profile, 'device_code', undefined)
  const signal = AbortSignal.any([ports.interruption, announcement.takenOver])
  try {
    const waiting = { ...ports, interruption: signal }
    const tokens = await tokensByDevice(provider, request, waiting)
    const credential = credentialOf(provider, tokens, ports.clock.now())
    const { before, ...stored } = await saveLogin(profile, credential, accounts, waiting)
    return { stored, previous: await revokePrevious(before, stored.credential, ports) }
  } finally {
    announcement.end()
  }
}

async function tokensByDevice(
  provider: Provider,
  request: DeviceRequest,
  ports: LogInPorts,
): Promise<Tokens> {
  const authorization = await provider.authorizeDevice(ports.interruption)
  request.onCode(authorization)
  const end = Math.min(authorization.expiresAt, ports.clock.now() + request.timeout)
  return poll(provider, authorization, end, request, ports)
}

async function poll(
  provider: Provider,
  authorization: DeviceAuthorization,
  end: number,
  request: DeviceRequest,
  ports: LogInPorts,
): Promise<Tokens> {
  let { interval } = authorization
  let extra = 0
  for (;;) {
    await pause(interval + extra, end, request, ports)
    try {
      const answer = await provider.pollDevice(authorization, ports.interruption)
      if (typeof answer === 'object') return answer
      extra = 0
      if (answer === 'slow_down') interval += SLOWER
    } catch (error) {
      if (!isPassing(error)) throw error
      extra = Math.min(2 * extra + SLOWER, LONGEST_PAUSE)
    }
  }
}

/** Waits, a second at a time. @throws {AuthError} `login_timeout` when the code ends first. */
async function pause(seconds: number, end: number, request: DeviceRequest, ports: LogInPorts): Promise<void> {
  let [left, slept, before] = [seconds, 0, ports.clock.now()]
  for (;;) {
    const now = ports.clock.now()
    if (now >= end) throw new AuthError('login_timeout', 'Nobody used the code in time.')
    // A clock that was set back, by however much, does not put off the next question.
    left -= Math.max(slept, now - before)
    if (left <= 0) return
    request.onWait(end - now)
    before = now
    slept = Math.min(left, end - now, 1)
    await sleep(slept, ports.interruption)
  }
}

function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, seconds * 1000)
    signal.addEventListener('abort', abort, { once: true })
  })
}
