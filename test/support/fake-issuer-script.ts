import { EventEmitter, once } from 'node:events'
import type { Answer } from './fake-issuer-answer.ts'

/** What goes over the wire instead of, or made from, the issuer's own answer. */
export type Reply =
  /** The issuer's own answer. The request is always processed. */
  | { readonly kind: 'genuine' }
  /** The issuer's own answer with its JSON body changed. The request is always processed. */
  | { readonly kind: 'edited'; edit(body: Record<string, unknown>): unknown }
  | ({ readonly kind: 'verbatim' } & Answer)
  /** A JSON body of so many bytes, streamed, whose end a careful client never reads. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** One byte of the body every so many milliseconds. */
  | { readonly kind: 'drip'; readonly interval: number }
  /** The head and the first half of the body, then the end of the connection. */
  | { readonly kind: 'cut_off' }
  /** Nothing, with the connection kept open. */
  | { readonly kind: 'silence' }
  /** Nothing, and the end of the connection. */
  | { readonly kind: 'hang_up' }

export interface ScriptedAnswer {
  readonly reply: Reply
  /**
   * How far the issuer gets with the request: it does not read the body; it reads it and does nothing; or it does all
   * that was asked (the code or refresh token is spent, the new tokens live) and only the reply differs.
   * Without it: `unprocessed`.
   */
  readonly stage?: 'unread' | 'unprocessed' | 'processed'
  /** With the request read, and nothing done yet. */
  readonly beforeProcessing?: () => Promise<void>
  /** With everything done that will be done, and nothing sent yet. */
  readonly beforeAnswer?: () => Promise<void>
  /** Milliseconds between the two. */
  readonly delay?: number
  /** Added to the reply's own; `Date` replaces the issuer's. */
  readonly headers?: Readonly<Record<string, string>>
}

const HTML = '<!doctype html><title>Just a moment...</title><p>Checking your browser before you go on.</p>'
const GENUINE: ScriptedAnswer = { reply: { kind: 'genuine' } }

/** The usual answers by name. With `stage: 'processed'` added, the tokens are rotated and the answer is lost. */
export const answers = {
  genuine: GENUINE,
  json: (status: number, body: unknown) => verbatim(status, JSON.stringify(body)),
  html: (status: number) => verbatim(status, HTML, { 'content-type': 'text/html; charset=utf-8' }),
  empty: (status = 200) => verbatim(status, ''),
  notJson: (status = 200) => verbatim(status, '{"access_token":'),
  jsonArray: (status = 200) => verbatim(status, '[]'),
  rateLimited: (retryAfter: string) => verbatim(429, '{}', { 'retry-after': retryAfter }),
  unavailable: (retryAfter: string) => verbatim(503, '{}', { 'retry-after': retryAfter }),
  redirect: (status: 302 | 307, location: string) => verbatim(status, '', { location }),
  edited,
  /** Genuine, but for these fields. */
  without: (...names: string[]) =>
    edited((body) => Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))),
  /** Genuine, with these fields changed. */
  with: (changes: Record<string, unknown>) => edited((body) => ({ ...body, ...changes })),
  contentType: (type: string): ScriptedAnswer => ({ ...GENUINE, headers: { 'content-type': type } }),
  /** Genuine, with a `Date` so many seconds ahead of this machine's clock. */
  dated: (ahead: number): ScriptedAnswer => ({
    ...GENUINE,
    headers: { date: new Date(Date.now() + ahead * 1000).toUTCString() },
  }),
  huge: (bytes = 2 * 1024 * 1024): ScriptedAnswer => ({ reply: { kind: 'huge', bytes } }),
  drip: (interval = 50): ScriptedAnswer => ({ reply: { kind: 'drip', interval } }),
  cutOff: scripted({ reply: { kind: 'cut_off' }, stage: 'processed' }),
  silence: scripted({ reply: { kind: 'silence' } }),
  hangUpUnread: scripted({ reply: { kind: 'hang_up' }, stage: 'unread' }),
  /** The connection ends with the tokens rotated and not a byte sent. */
  dropped: scripted({ reply: { kind: 'hang_up' }, stage: 'processed' }),
}

/** An answer that waits until it is let go. */
export interface HeldAnswer {
  readonly answer: ScriptedAnswer
  /** Resolves when a request has come for it. */
  readonly arrived: Promise<void>
  release(): void
}

/** Holds an answer, the genuine one unless told, with everything done and nothing sent. */
export function hold(answer: ScriptedAnswer = GENUINE): HeldAnswer {
  const hook = new EventEmitter()
  const arrived = once(hook, 'arrived').then(() => undefined)
  const released = once(hook, 'released').then(() => undefined)
  const beforeAnswer = (): Promise<void> => {
    hook.emit('arrived')
    return released
  }
  return { answer: { ...answer, beforeAnswer }, arrived, release: () => void hook.emit('released') }
}

/** Whether the issuer does what the request asks before it answers so. */
export function processes({ reply, stage }: ScriptedAnswer): boolean {
  return stage === 'processed' || reply.kind === 'genuine' || reply.kind === 'edited'
}

function edited(edit: (body: Record<string, unknown>) => unknown): ScriptedAnswer {
  return { reply: { kind: 'edited', edit } }
}

function verbatim(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ScriptedAnswer {
  return {
    reply: { kind: 'verbatim', status, headers: { 'content-type': 'application/json', ...headers }, body },
  }
}

function scripted(answer: ScriptedAnswer): ScriptedAnswer {
  return answer
}
