/** The arguments of one `fetch`. */
export interface FetchCall {
  readonly input: string | URL | Request
  readonly init: RequestInit | undefined
}

/**
 * The same call once more, to be taken before the first is made. `undefined`: its body is a stream that ends with the first. The
 * body of a `Request` is kept in memory until then; {@link discard} what is not used.
 */
export function repeated({ input, init }: FetchCall): FetchCall | undefined {
  if (init?.body !== undefined && init.body !== null)
    return isRepeatable(init.body) ? { input, init } : undefined
  return { input: isRequest(input) ? input.clone() : input, init }
}

export async function discard(call: FetchCall): Promise<void> {
  if (isRequest(call.input)) await drop(call.input)
}

/** Gives up a body that nobody reads. Whatever is wrong with it is nobody's concern any more. */
export async function drop({ body }: Request | Response): Promise<void> {
  await body?.cancel().catch(() => undefined)
}

/** By its form and not by its class: a program may bring a `fetch` with a `Request` of its own. */
export function isRequest(input: FetchCall['input']): input is Request {
  return typeof input === 'object' && 'clone' in input
}

function isRepeatable(body: unknown): boolean {
  if (typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return true
  return body instanceof URLSearchParams || body instanceof Blob || body instanceof FormData
}
