import { gzipSync } from 'node:zlib'
import { answers, type ScriptedAnswer } from '../test/support/fake-issuer.ts'
import { falseGzip, passOnAsPacked, passOnWithoutEnd, type Mischief } from './front.ts'

/** One kind of answer, and what the program has to make of it. */
export interface AnswerClass {
  readonly name: string
  /** Given to the refresh request, once for each. */
  readonly answers?: readonly ScriptedAnswer[]
  /** Done by a server in front of the issuer, where an issuer cannot. */
  readonly mischief?: Mischief
  /** `passes`: 5, nothing changed, works again. `saved`: 0. `refused`: 4, remembered, never asked again. */
  readonly meaning: 'passes' | 'saved' | 'refused'
  /** Requests that the call may make at least and at most; one unless told. */
  readonly requests?: readonly [number, number]
  /** Seconds that it may take before its five begin. */
  readonly wait?: number
  /** The next call may take the token for over, and refresh again. */
  readonly nextMayRefresh?: boolean
  /** Only the long form has the time. */
  readonly slow?: boolean
}

const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024))
const TOKENLESS = { token_type: 'Bearer', expires_in: 3600 }
const { genuine } = answers
const again = (answer: ScriptedAnswer, times: number): ScriptedAnswer[] =>
  Array.from({ length: times }, () => answer)

/** Seconds for which the program tries again, where that can spend nothing twice. */
const TRYING = 12

const refusal = (code: string): ScriptedAnswer => answers.json(401, { error: { code, message: 'No.' } })
const raw =
  (bytes: string): Mischief =>
  (request) =>
    void request.socket.end(bytes)

const NO_ANSWERS: readonly AnswerClass[] = [
  { name: '200 with a page', answers: [answers.html(200)], meaning: 'passes' },
  { name: '403 with a page', answers: [answers.html(403)], meaning: 'passes' },
  { name: '502 with a page', answers: [answers.html(502)], meaning: 'passes' },
  { name: '500', answers: [answers.json(500, { error: 'server_error' })], meaning: 'passes' },
  { name: '504, empty', answers: [answers.empty(504)], meaning: 'passes' },
  { name: '200, empty', answers: [answers.empty()], meaning: 'passes' },
  { name: '204', answers: [answers.empty(204)], meaning: 'passes' },
  { name: '200, JSON that stops', answers: [answers.notJson()], meaning: 'passes' },
  { name: '200, a list', answers: [answers.jsonArray()], meaning: 'passes' },
  { name: '200, `null`', answers: [answers.json(200, null)], meaning: 'passes' },
  { name: '200 without access_token', answers: [answers.json(200, TOKENLESS)], meaning: 'passes' },
  {
    name: '200, access_token a number',
    answers: [answers.json(200, { access_token: 7 })],
    meaning: 'passes',
  },
  { name: '200, access_token empty', answers: [answers.json(200, { access_token: '' })], meaning: 'passes' },
  {
    name: '200, access_token with a line break',
    answers: [answers.json(200, { access_token: 'a\nb' })],
    meaning: 'passes',
  },
  { name: '200 with more than 1 MiB', answers: [answers.huge()], meaning: 'passes' },
  { name: '200, 64 MiB of zeros in gzip', mischief: bomb, meaning: 'passes' },
  { name: '200, gzip that is none', mischief: falseGzip, meaning: 'passes' },
  { name: '301', answers: [answers.empty(301)], meaning: 'passes' },
  { name: '302 elsewhere', answers: [answers.redirect(302, 'http://127.0.0.1:9/')], meaning: 'passes' },
  { name: '307 elsewhere', answers: [answers.redirect(307, 'http://127.0.0.1:9/')], meaning: 'passes' },
  { name: '401, empty', answers: [answers.empty(401)], meaning: 'passes' },
  { name: '401 with an unknown code', answers: [refusal('something_else')], meaning: 'passes' },
  {
    name: '400 invalid_request',
    answers: [answers.json(400, { error: 'invalid_request' })],
    meaning: 'passes',
  },
  {
    name: 'connection reset when the request comes',
    mischief: (request) => void request.socket.resetAndDestroy(),
    meaning: 'passes',
  },
  {
    name: 'connection closed before the request is read',
    answers: [answers.hangUpUnread],
    meaning: 'passes',
  },
  { name: 'connection closed when it is read', answers: [{ reply: { kind: 'hang_up' } }], meaning: 'passes' },
  {
    name: 'answer that stops in the middle, nothing done',
    answers: [{ reply: { kind: 'cut_off' } }],
    meaning: 'passes',
  },
  { name: 'no HTTP', mischief: raw('SSH-2.0-OpenSSH_9.6\r\n'), meaning: 'passes' },
  {
    name: 'another protocol (101)',
    mischief: raw('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'),
    meaning: 'passes',
  },
  {
    name: 'a head of 100 kB',
    mischief: raw(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`),
    meaning: 'passes',
  },
]

const PUT_OFF: readonly AnswerClass[] = [
  {
    name: '429, Retry-After: 3600',
    answers: again(answers.rateLimited('3600'), 5),
    meaning: 'passes',
    wait: TRYING,
  },
  {
    name: '503, Retry-After: 3600',
    answers: again(answers.unavailable('3600'), 5),
    meaning: 'passes',
    wait: TRYING,
  },
  {
    name: '429 every time, Retry-After: 0',
    answers: again(answers.rateLimited('0'), 9),
    meaning: 'passes',
    requests: [2, 5],
    wait: TRYING,
  },
  {
    name: '503 every time, Retry-After: 0',
    answers: again(answers.unavailable('0'), 9),
    meaning: 'passes',
    requests: [2, 5],
    wait: TRYING,
  },
  {
    name: '429 once, Retry-After: 1',
    answers: [answers.rateLimited('1')],
    meaning: 'saved',
    requests: [2, 2],
    wait: TRYING,
  },
  {
    name: '503 once, Retry-After: 1',
    answers: [answers.unavailable('1')],
    meaning: 'saved',
    requests: [2, 2],
    wait: TRYING,
  },
  {
    name: '503 with a page, once',
    answers: [answers.html(503)],
    meaning: 'saved',
    requests: [2, 2],
    wait: TRYING,
  },
]

const SLOW: readonly AnswerClass[] = [
  {
    name: 'one byte every 50 ms, nothing done',
    answers: [answers.drip()],
    meaning: 'passes',
    wait: 15,
    slow: true,
  },
  {
    name: 'nothing, for as long as anybody waits',
    answers: [answers.silence],
    meaning: 'passes',
    wait: 15,
    slow: true,
  },
]

const SAVED: readonly AnswerClass[] = [
  { name: 'tokens as text/html', answers: [answers.contentType('text/html')], meaning: 'saved' },
  { name: 'tokens without a type', answers: [answers.without('token_type')], meaning: 'saved' },
  { name: 'tokens, id_token damaged', answers: [answers.with({ id_token: 'x.y.z' })], meaning: 'saved' },
  { name: 'tokens, expires_in negative', answers: [answers.with({ expires_in: -1 })], meaning: 'saved' },
  { name: 'tokens, expires_in no number', answers: [answers.with({ expires_in: 'soon' })], meaning: 'saved' },
  { name: 'tokens, scope a list', answers: [answers.with({ scope: ['a'] })], meaning: 'saved' },
  { name: 'tokens, and an error beside them', answers: [answers.with({ error: 'x' })], meaning: 'saved' },
  wrongDate('tokens, Date alone an hour ahead', 3600),
  wrongDate('tokens, Date alone an hour behind', -3600),
  {
    name: 'tokens, Date no date',
    answers: [{ ...genuine, headers: { date: 'yesterday' } }],
    meaning: 'saved',
  },
  { name: 'tokens, connection ends before the answer', mischief: passOnWithoutEnd, meaning: 'saved' },
  { name: 'tokens, gzip by their header only', mischief: passOnAsPacked, meaning: 'saved' },
  { name: 'tokens after 2 s', answers: [{ ...genuine, delay: 2000 }], meaning: 'saved', wait: 2 },
]

const REFUSED: readonly AnswerClass[] = [
  { name: '400 invalid_grant', answers: [answers.json(400, { error: 'invalid_grant' })], meaning: 'refused' },
  { name: '401 refresh_token_expired', answers: [refusal('refresh_token_expired')], meaning: 'refused' },
  { name: '401 refresh_token_reused', answers: [refusal('refresh_token_reused')], meaning: 'refused' },
  {
    name: '401 refresh_token_invalidated',
    answers: [refusal('refresh_token_invalidated')],
    meaning: 'refused',
  },
]

export const ANSWER_CLASSES = [...NO_ANSWERS, ...PUT_OFF, ...SLOW, ...SAVED, ...REFUSED]

/** Ahead of this machine's clock at the moment of the answer, while the token's own times are right. */
function wrongDate(name: string, ahead: number): AnswerClass {
  return {
    name,
    get answers() {
      return [answers.dated(ahead)]
    },
    meaning: 'saved',
    nextMayRefresh: true,
  }
}

function bomb(request: Parameters<Mischief>[0], response: Parameters<Mischief>[1]): void {
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(BOMB)
}
