import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { json, parseJson, type Answer } from './fake-issuer-answer.ts'
import type { Reply } from './fake-issuer-script.ts'

export interface Delivery {
  readonly reply: Reply
  /** The issuer's own answer. `undefined`: the request was not processed. */
  readonly genuine: Answer | undefined
  /** They win over those of the answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Ends what would take long. */
  readonly stopped: AbortSignal
}

/** Puts the reply on the wire, or does to the connection what it says. */
export async function deliver(response: ServerResponse, delivery: Delivery): Promise<void> {
  const { reply, stopped } = delivery
  if (reply.kind === 'silence') return
  if (reply.kind === 'hang_up') {
    response.destroy()
    return
  }
  const { status, headers, body = '' } = madeFrom(reply, delivery.genuine)
  response.statusCode = status
  response.setHeaders(new Headers({ ...headers, ...delivery.headers }))
  if (reply.kind === 'huge') await pipeline(Readable.from(filler(reply.bytes)), response)
  else if (reply.kind === 'drip')
    await pipeline(Readable.from(drops(body, reply.interval, stopped)), response)
  else if (reply.kind === 'cut_off') cutOff(response, body)
  else response.end(body)
}

function madeFrom(reply: Reply, genuine: Answer | undefined): Answer {
  if (reply.kind === 'verbatim') return reply
  // What a token answer begins with, for replies that are about its form.
  const { status, headers = {}, body = '' } = genuine ?? json(200, { token_type: 'Bearer' })
  if (reply.kind !== 'edited') return { status, headers, body }
  const changed = reply.edit(parseJson(body) ?? {})
  return { status, headers, body: JSON.stringify(changed) }
}

function cutOff(response: ServerResponse, body: string): void {
  response.setHeader('content-length', Buffer.byteLength(body))
  response.write(body.slice(0, body.length / 2), () => response.destroy())
}

function* filler(bytes: number): Iterable<string> {
  const chunk = 'a'.repeat(16 * 1024)
  yield '{"access_token":"'
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk
  yield '"}'
}

async function* drops(body: string, interval: number, stopped: AbortSignal): AsyncIterable<string> {
  for (const character of body) {
    yield character
    await wait(interval, undefined, { signal: stopped })
  }
}
