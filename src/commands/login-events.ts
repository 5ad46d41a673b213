import type { DeviceAuthorization } from '../core/ports.ts'
import { BROWSER_TIMEOUT } from '../core/log-in-defaults.ts'
import type { Context } from './context.ts'
import type { LoginFlags } from './login-flags.ts'
import { printResult, timestamp } from './output.ts'

/*
 * `login --events`: for a program that drives a sign-in, one JSON object per line as it happens. The last line is
 * `signed_in` or `failed`, whatever happens. What is said to a person is said on standard error all the same.
 */

type Event = 'authorization_url' | 'device_code' | 'waiting' | 'signed_in' | 'failed'

/** Never over several lines, as other results are at a terminal: a reader takes a line for an event. */
export function printEvent(context: Pick<Context, 'stdout'>, event: Event, fields: object): void {
  context.stdout(`${JSON.stringify({ schema_version: 1, event, ...fields })}\n`)
}

/**
 * Whether the words of a call ask for events: its failure is one as well, even when it is these words that are wrong. Only
 * `--profile` takes a value among the flags that may come before the command.
 */
export function asksForEvents(argv: readonly string[]): boolean {
  const command = argv.find((word, at) => !word.startsWith('-') && argv[at - 1] !== '--profile')
  return command === 'login' && argv.includes('--events')
}

interface AddressTalk {
  onAddress(url: string, port: number | undefined): void
}

/** Tells the driving program of the address as well, and until when the sign-in waits. */
export function withAddressEvents<T extends AddressTalk>(context: Context, flags: LoginFlags, talk: T): T {
  if (!flags.events) return talk
  const onAddress: AddressTalk['onAddress'] = (url, port) => {
    talk.onAddress(url, port)
    printEvent(context, 'authorization_url', { url })
    const expiresAt = context.now() + (flags.timeout ?? BROWSER_TIMEOUT)
    printEvent(context, 'waiting', { method: 'browser', expires_at: timestamp(expiresAt) })
  }
  return { ...talk, onAddress }
}

interface CodeTalk {
  onCode(authorization: DeviceAuthorization): void
}

/** The same for the code of a sign-in on another device. */
export function withCodeEvents<T extends CodeTalk>(context: Context, flags: LoginFlags, talk: T): T {
  if (!flags.events) return talk
  const onCode = (authorization: DeviceAuthorization): void => {
    talk.onCode(authorization)
    const { verificationUrl, verificationUrlComplete, userCode, expiresAt } = authorization
    printEvent(context, 'device_code', {
      verification_url: verificationUrl,
      verification_url_complete: verificationUrlComplete ?? null,
      user_code: userCode,
      expires_at: timestamp(expiresAt),
    })
    const end = Math.min(expiresAt, context.now() + (flags.timeout ?? Infinity))
    printEvent(context, 'waiting', { method: 'device_code', expires_at: timestamp(end) })
  }
  return { ...talk, onCode }
}

/** The result of a sign-in: an event, or what `status` prints. */
export function printSignedIn(context: Context, flags: LoginFlags, report: object): void {
  if (flags.events) printEvent(context, 'signed_in', report)
  else printResult(context, flags, report, '')
}
