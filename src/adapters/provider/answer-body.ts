import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, unzip } from 'node:zlib'
import { AuthError } from '../../errors.ts'
import { jsonObject } from './json-object.ts'
import { PassingFault } from './passing-fault.ts'
import { textIn } from './transport-fault.ts'

/**
 * Reads the body of an answer, `limit` bytes at most. Where the connection is lost, or the time for it is over, before the
 * end was said, a body that is a JSON object is whole all the same: one that stops early is none. With it would go the
 * only copy of a new refresh token.
 * @throws {PassingFault} `invalid_answer` for one that is too large or cannot be unpacked.
 * @throws what became of the connection.
 */
export async function readBody(incoming: IncomingMessage, host: string, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  const text = (): Promise<string> => textOf(Buffer.concat(chunks), incoming, host, limit)
  try {
    await collect(chunks, incoming, host, limit)
  } catch (error) {
    if (error instanceof AuthError) throw error
    const found = await unlessUnreadable(text())
    if (found === undefined || jsonObject(found) === undefined) throw error
    return found
  }
  return text()
}

async function collect(
  chunks: Uint8Array[],
  incoming: IncomingMessage,
  host: string,
  limit: number,
): Promise<void> {
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > limit) throw tooLarge(host, incoming)
    chunks.push(chunk)
  }
}

async function unlessUnreadable(text: Promise<string>): Promise<string | undefined> {
  try {
    return await text
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}

async function textOf(
  packed: Uint8Array,
  incoming: IncomingMessage,
  host: string,
  limit: number,
): Promise<string> {
  return new TextDecoder().decode(await unpack(packed, incoming, host, limit))
}

/** Nothing packed was asked for; some servers and proxies pack their answers all the same. */
async function unpack(
  packed: Uint8Array,
  incoming: IncomingMessage,
  host: string,
  limit: number,
): Promise<Uint8Array> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || packed.length === 0) return packed
  try {
    if (encoding === 'br') return await promisify(brotliDecompress)(packed, { maxOutputLength: limit })
    return await promisify(unzip)(packed, { maxOutputLength: limit })
  } catch (error) {
    if (textIn(error, 'code') === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(host, incoming)
    // Unpacked on its way by somebody who has left the header as it was.
    if (jsonObject(new TextDecoder().decode(packed)) !== undefined) return packed
    const what = `${host} answered ${incoming.statusCode} in an encoding that cannot be read.`
    throw new PassingFault('invalid_answer', what)
  }
}

function tooLarge(host: string, incoming: IncomingMessage): PassingFault {
  return new PassingFault(
    'invalid_answer',
    `${host} answered ${incoming.statusCode} with more than a token answer can be.`,
  )
}
