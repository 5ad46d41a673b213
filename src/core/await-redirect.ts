import { AuthError } from '../errors.ts'
import { formatDuration } from './duration.ts'
import { readPasted, type Pasted } from './pasted-redirect.ts'
import type { AuthorizationRequest, Input, Listening, Redirect } from './ports.ts'
import { withinTime } from './time-limit.ts'

/** Why a pasted line has not finished the sign-in. `without_issuer`: it lacks what only the whole address has. */
export type PasteFault = Exclude<Pasted['kind'], 'redirect' | 'nothing'> | 'without_issuer'

export interface AwaitedRedirect {
  /** `undefined`: nothing can listen, and only what is pasted counts. */
  readonly listening: Listening | undefined
  /** `undefined`: nobody can type. */
  readonly input: Input | undefined
  /** A person sees what is asked here, and answers it. */
  readonly asks: boolean
  /** Seconds the person has. */
  readonly timeout: number
  /** Called as soon as a redirect would be noticed. */
  onReady(): void
  /** A pasted line that did not finish the sign-in. */
  onPasted(kind: PasteFault): void
}

/**
 * The redirect, from whichever way it comes first: the browser, or the person who pastes its address (which is as good: it
 * holds the same state).
 * @throws {AuthError} `login_timeout`; `login_failed` when it can come no way any more; the signal's reason.
 */
export async function awaitRedirect(
  authorization: AuthorizationRequest,
  awaited: AwaitedRedirect,
  signal: AbortSignal,
): Promise<Redirect> {
  return withinTime(
    awaited.timeout,
    () => late(awaited.timeout),
    signal,
    async (either) => {
      const arriving = [
        awaited.listening?.redirect(authorization.state, either),
        pasted(authorization, awaited, either),
      ]
      const first = Promise.race(arriving.filter((way) => way !== undefined))
      // Whoever shows the address may fail at it: that ends the waiting, and is what is heard of.
      first.catch(() => undefined)
      awaited.onReady()
      return first
    },
  )
}

function late(timeout: number): AuthError {
  return new AuthError('login_timeout', `Nobody finished the sign-in within ${formatDuration(timeout)}.`)
}

/** The end of what can be read ends nothing while something listens: the browser may still come. */
async function pasted(
  authorization: AuthorizationRequest,
  awaited: AwaitedRedirect,
  signal: AbortSignal,
): Promise<Redirect> {
  const parameters = awaited.input && (await readUntilRedirect(authorization, awaited.input, awaited, signal))
  if (parameters !== undefined) return { parameters, answer: async () => undefined }
  if (awaited.listening === undefined && !signal.aborted)
    throw new AuthError('login_failed', 'Nothing listens for the redirect, and nothing more can be pasted.')
  return rejectedBy(signal)
}

async function readUntilRedirect(
  authorization: AuthorizationRequest,
  input: Input,
  awaited: AwaitedRedirect,
  signal: AbortSignal,
): Promise<URLSearchParams | undefined> {
  let offered: URLSearchParams | undefined
  for await (const line of input.lines(signal)) {
    if (offered !== undefined && /^\s*y(es)?\s*$/i.test(line)) return offered
    const isRefused = offered !== undefined && /^\s*(no?)?\s*$/i.test(line)
    offered = undefined
    if (isRefused) continue
    const found = readPasted(line, authorization.state)
    if (lacksIssuer(found, authorization)) {
      awaited.onPasted('without_issuer')
      continue
    }
    if (found.kind === 'redirect') return found.parameters
    // Whose a code without a state is, only a person can say.
    if (found.kind === 'bare_code' && awaited.asks) offered = found.parameters
    if (found.kind !== 'nothing') awaited.onPasted(found.kind)
  }
  return undefined
}

/** Such a code would be thrown away later, and with it the person's whole sign-in. */
function lacksIssuer(found: Pasted, { issuerInRedirect }: AuthorizationRequest): boolean {
  return issuerInRedirect && 'parameters' in found && !found.parameters.has('iss')
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })
}
