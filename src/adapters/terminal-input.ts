import { on } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { Writable, type Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ReadStream } from 'node:tty'
import { AuthError } from '../errors.ts'
import type { Input } from '../core/ports.ts'
import { readInForeground } from './terminal-foreground.ts'

/** Characters. A longer line is no answer to anything we ask; keeping it all would let a broken pipe fill the memory. */
const LONGEST_LINE = 64 * 1024

/** A file or a device has less of it than a pipe or a terminal. */
type Stdin = Readable & {
  readonly isTTY?: boolean
  setRawMode?(on: boolean): unknown
  ref?(): unknown
  unref?(): unknown
}

/** Standard input as the commands use it. Nothing is read before it is asked for, and nothing keeps the process alive after. */
export function terminalInput(stdin: Stdin, stderr: { write(text: string): unknown }): Input {
  const isTerminal = stdin.isTTY === true
  return {
    isTerminal,
    lines: (signal) => lines(stdin, signal),
    ask: async (question, signal) => {
      stderr.write(question)
      const line = await firstLine(stdin, signal).catch((error: unknown) => endLine(stderr, error))
      if (line === undefined) stderr.write('\n')
      return line ?? ''
    },
    secret: async (prompt, signal) => {
      if (!isTerminal) return (await firstLine(stdin, signal)) ?? ''
      // Whoever sees the prompt may type at once: by then, the terminal shows nothing of it any more.
      const ask = (): void => void stderr.write(prompt)
      const line = hiddenLine(stdin, ask, signal)
      ask()
      const typed = await line.catch((error: unknown) => endLine(stderr, error))
      stderr.write('\n')
      return typed
    },
  }
}

/** Nobody has typed the end of the question's line. After Ctrl-C, what is said next begins a new one by itself. */
function endLine(stderr: { write(text: string): unknown }, error: unknown): never {
  if (!(error instanceof AuthError && error.code === 'interrupted')) stderr.write('\n')
  throw error
}

async function* lines(stdin: Stdin, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder()
  let rest = ''
  try {
    for await (const chunk of chunks(stdin, signal)) {
      const [first = '', ...more] = decoder.write(chunk).split('\n')
      const all = [rest + first, ...more]
      rest = (all.pop() ?? '').slice(0, LONGEST_LINE)
      for (const line of all) yield line.slice(0, LONGEST_LINE).replace(/\r$/, '')
    }
    if (rest !== '' && !signal.aborted) yield rest
  } finally {
    release(stdin)
  }
}

/** Until the end, the signal, or a fault, such as a terminal that went away: after none of them is there more to read. */
async function* chunks(stdin: Stdin, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  if (signal.aborted || stdin.readableEnded || stdin.destroyed) return
  // Until it is resumed, nothing is read.
  stdin.pause()
  const arriving = on(stdin, 'data', { signal, close: ['end', 'close'] })
  stdin.ref?.()
  const leave = stdin instanceof ReadStream ? readInForeground(stdin) : undefined
  if (leave === undefined) stdin.resume()
  try {
    for await (const [chunk] of arriving) yield chunk as Buffer
  } catch (error) {
    if (!signal.aborted && !isSystemFault(error)) throw error
  } finally {
    leave?.()
  }
}

function isSystemFault(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

/** `undefined`: there is none any more. */
async function firstLine(stdin: Stdin, signal: AbortSignal): Promise<string | undefined> {
  for await (const line of lines(stdin, signal)) return line
  signal.throwIfAborted()
  return undefined
}

/** The editor of the line works as usual; only what it would show goes nowhere. */
async function hiddenLine(stdin: Stdin, askAgain: () => void, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  // After Ctrl-Z and `fg`, the editor rests. Without it, the shell would get the rest of the secret, and show it.
  reader.on('SIGCONT', () => reader.resume())
  const goOn = (): void => {
    // Stopped by a signal, it knows nothing of it: the shell has changed the mode behind its back.
    stdin.setRawMode?.(false)
    stdin.setRawMode?.(true)
    askAgain()
  }
  process.on('SIGCONT', goOn)
  // A terminal that went away is a fault to read, and another to set back.
  reader.on('error', (error) => {
    if (!isSystemFault(error)) throw error
  })
  stdin.once('close', () => reader.close())
  // The editor would take what was typed so far for the line: half a secret, kept in place of a whole one.
  stdin.prependOnceListener('end', () => reader.close())
  stdin.ref?.()
  try {
    return await typedLine(reader, signal)
  } finally {
    process.off('SIGCONT', goOn)
    reader.close()
    release(stdin)
  }
}

function typedLine(reader: Interface, signal: AbortSignal): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    // While the terminal is in raw mode, Ctrl-C is a key and no signal.
    reader.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    reader.once('line', resolve)
    reader.once('close', () => resolve(''))
  })
}

function release(stdin: Stdin): void {
  stdin.pause()
  // A pipe whose other end stays open would keep the process alive.
  stdin.unref?.()
}
