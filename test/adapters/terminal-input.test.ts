import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { terminalInput } from '../../src/adapters/terminal-input.ts'
import { keyboard, openPipe, piped, type FakeStdin } from '../support/fake-surroundings.ts'

const REASON = new Error('interrupted')

/** A standard input with all that is said around it. */
function inputFrom(stdin: FakeStdin) {
  const said: string[] = []
  return { input: terminalInput(stdin, { write: (text) => said.push(text) }), said }
}

function forever(): AbortSignal {
  return new AbortController().signal
}

/** Every line until the end. */
async function linesOf(stdin: FakeStdin, signal = forever()): Promise<string[]> {
  const lines: string[] = []
  for await (const line of inputFrom(stdin).input.lines(signal)) lines.push(line)
  return lines
}

/** What writes these pieces, one after the other has been read, and ends. */
function inPieces(...pieces: (string | Buffer)[]): FakeStdin {
  const stdin = openPipe()
  const write = async (): Promise<void> => {
    for (const piece of pieces) {
      stdin.write(piece)
      await setImmediate()
    }
    stdin.end()
  }
  void write()
  return stdin
}

describe('lines', () => {
  test.each([
    ['', []],
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\ntwo', ['one', 'two']],
    ['one\r\ntwo\r\n', ['one', 'two']],
    ['\n\n one \n', ['', '', ' one ']],
  ])('of %j are %j', async (text, lines) => {
    expect(await linesOf(piped(text))).toEqual(lines)
  })

  test('may come in pieces, also of one character', async () => {
    const [first, second] = [Buffer.from('ü').subarray(0, 1), Buffer.from('ü').subarray(1)]
    expect(await linesOf(inPieces('o', 'ne\nt', first, second, 'r\r', '\nend'))).toEqual([
      'one',
      'tür',
      'end',
    ])
  })

  test('come as soon as they are written', async () => {
    const stdin = openPipe()
    const lines = inputFrom(stdin).input.lines(forever())[Symbol.asyncIterator]()
    stdin.write('one\ntw')
    expect(await lines.next()).toEqual({ value: 'one', done: false })
    stdin.write('o\n')
    expect(await lines.next()).toEqual({ value: 'two', done: false })
  })

  test('are cut where they are longer than any answer, however much comes', async () => {
    const kilobyte = 'x'.repeat(1024)
    const long = Array.from({ length: 100 }, () => kilobyte)
    const lines = await linesOf(inPieces(...long, '\nnext\n', ...long))
    expect(lines).toEqual(['x'.repeat(64 * 1024), 'next', 'x'.repeat(64 * 1024)])
  })

  test.each([
    ['before the first', ''],
    ['in the middle of one', 'one\ntw'],
  ])('end quietly when the signal comes %s', async (_when, text) => {
    const stdin = openPipe()
    const stop = new AbortController()
    stdin.write(text)
    const reading = linesOf(stdin, stop.signal)
    await setImmediate()
    stop.abort(REASON)
    expect(await reading).toEqual(text === '' ? [] : ['one'])
  })

  test('are none when the signal has come', async () => {
    expect(await linesOf(piped('one\n'), AbortSignal.abort(REASON))).toEqual([])
  })

  test('end quietly when nothing can be read any more, as at a terminal that went away', async () => {
    const stdin = openPipe()
    stdin.write('one\n')
    const reading = linesOf(stdin)
    await setImmediate()
    stdin.destroy(Object.assign(new Error('read EIO'), { code: 'EIO', syscall: 'read' }))
    expect(await reading).toEqual(['one'])
  })

  test('do not hide a bug', async () => {
    const stdin = openPipe()
    const reading = linesOf(stdin)
    await setImmediate()
    const bug = new TypeError('x is not a function')
    stdin.destroy(bug)
    await expect(reading).rejects.toBe(bug)
  })

  test('are over after the end, whoever asks again', async () => {
    const stdin = piped('one\n')
    expect([await linesOf(stdin), await linesOf(stdin)]).toEqual([['one'], []])
  })
})

/** Counts what keeps a process alive. */
function counting(stdin: FakeStdin) {
  const kept: string[] = []
  const methods = { ref: () => kept.push('kept alive'), unref: () => kept.push('let go') }
  return { stdin: Object.assign(stdin, methods), kept }
}

describe('whoever has read enough', () => {
  test('lets the process go, with a pipe that stays open', async () => {
    const { stdin, kept } = counting(openPipe())
    stdin.write('one\ntwo\n')
    expect(await inputFrom(stdin).input.secret('', forever())).toBe('one')
    expect({ kept, paused: stdin.isPaused() }).toEqual({ kept: ['kept alive', 'let go'], paused: true })
  })

  test('lets it go when the signal came', async () => {
    const { stdin, kept } = counting(openPipe())
    const stop = new AbortController()
    const reading = linesOf(stdin, stop.signal)
    await setImmediate()
    stop.abort(REASON)
    await reading
    expect({ kept, listeners: stdin.listenerCount('data') }).toEqual({
      kept: ['kept alive', 'let go'],
      listeners: 0,
    })
  })

  test('may be asked again, and the process stays for the answer', async () => {
    const { stdin, kept } = counting(keyboard())
    const { input } = inputFrom(stdin)
    const first = input.secret('', forever())
    stdin.write('one\r')
    await first
    const second = input.ask('', forever())
    stdin.write('two\n')
    expect([await first, await second]).toEqual(['one', 'two'])
    expect(kept).toEqual(['kept alive', 'let go', 'kept alive', 'let go'])
  })
})

describe('a question', () => {
  test('is shown, and answered with a line', async () => {
    const { input, said } = inputFrom(piped('yes\n'))
    expect([await input.ask('Sure? ', forever()), said]).toEqual(['yes', ['Sure? ']])
  })

  test('that nobody answers any more, as after Ctrl-D, is answered with nothing, and its line ends', async () => {
    const { input, said } = inputFrom(piped(''))
    expect([await input.ask('Sure? ', forever()), said]).toEqual(['', ['Sure? ', '\n']])
  })

  test('ends with the signal', async () => {
    const stop = new AbortController()
    const asked = inputFrom(openPipe()).input.ask('Sure? ', stop.signal)
    stop.abort(REASON)
    await expect(asked).rejects.toBe(REASON)
    await expect(inputFrom(openPipe()).input.ask('Sure? ', stop.signal)).rejects.toBe(REASON)
  })
})

describe('a secret', () => {
  test('from a pipe is its first line, without a word', async () => {
    const { input, said } = inputFrom(piped('hunter2\nmore\n'))
    expect([await input.secret('Key: ', forever()), said]).toEqual(['hunter2', []])
  })

  test('from a pipe may have no end of line, or be none', async () => {
    expect(await inputFrom(piped('hunter2')).input.secret('Key: ', forever())).toBe('hunter2')
    expect(await inputFrom(piped('')).input.secret('Key: ', forever())).toBe('')
  })

  test('at a terminal is asked for, may be corrected, and is not shown', async () => {
    const stdin = keyboard()
    const { input, said } = inputFrom(stdin)
    const secret = input.secret('Key: ', forever())
    stdin.write('hunterx')
    stdin.write('\x7f')
    stdin.write('2\r')
    expect([await secret, said]).toEqual(['hunter2', ['Key: ', '\n']])
  })

  test('at a terminal is asked for when nothing that is typed is shown any more, and not before', async () => {
    const stdin = keyboard()
    const { input, said } = inputFrom(stdin)
    const setRawMode = (raw: boolean): unknown => said.push(raw ? 'nothing is shown' : 'typing is shown')
    Object.assign(stdin, { setRawMode })
    const secret = input.secret('Key: ', forever())
    stdin.write('hunter2\r')
    await secret
    expect(said).toEqual(['nothing is shown', 'Key: ', 'typing is shown', '\n'])
  })

  test('at a terminal is none after Ctrl-D', async () => {
    const stdin = keyboard()
    const secret = inputFrom(stdin).input.secret('Key: ', forever())
    stdin.write('\x04')
    expect(await secret).toBe('')
  })

  test.each([
    ['is closed', (stdin: FakeStdin) => stdin.end()],
    [
      'cannot be read any more',
      (stdin: FakeStdin) =>
        stdin.destroy(Object.assign(new Error('read EIO'), { code: 'EIO', syscall: 'read' })),
    ],
  ])('at a terminal that %s is none, however much of it was typed', async (_how, goAway) => {
    const stdin = keyboard()
    const secret = inputFrom(stdin).input.secret('Key: ', forever())
    stdin.write('hunt')
    await setImmediate()
    goAway(stdin)
    expect(await secret).toBe('')
  })

  test('at a terminal, Ctrl-C is the signal that it is everywhere else', async () => {
    const stdin = keyboard()
    const stop = new AbortController()
    const secret = inputFrom(stdin).input.secret('Key: ', stop.signal)
    const signalled = once(process, 'SIGINT')
    stdin.write('hun\x03')
    await signalled
    stop.abort(REASON)
    await expect(secret).rejects.toBe(REASON)
  })

  test('is not asked for when the signal has come', async () => {
    const secret = inputFrom(keyboard()).input.secret('Key: ', AbortSignal.abort(REASON))
    await expect(secret).rejects.toBe(REASON)
  })
})

test('only a terminal is one', () => {
  expect([keyboard(), openPipe()].map((stdin) => inputFrom(stdin).input.isTerminal)).toEqual([true, false])
})
