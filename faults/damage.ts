import type { Random } from './random.ts'

/** One way to damage a file. */
export interface Damage {
  readonly kind: string
  readonly bytes: Buffer
}

type Way = (original: Buffer, random: Random) => Buffer

const WAYS: Readonly<Record<string, Way>> = {
  'a bit flipped': (original, random) =>
    changed(original, random.below(original.length), 1 << random.below(8)),
  'several bits flipped': (original, random) =>
    Array.from({ length: 2 + random.below(20) }).reduce<Buffer>(
      (bytes) => changed(bytes, random.below(bytes.length), 1 << random.below(8)),
      original,
    ),
  'cut short': (original, random) => original.subarray(0, random.below(original.length)),
  'its beginning gone': (original, random) => original.subarray(1 + random.below(original.length - 1)),
  'a piece gone': (original, random) => {
    const [from, to] = piece(original, random)
    return Buffer.concat([original.subarray(0, from), original.subarray(to)])
  },
  'a piece of zeros': (original, random) => {
    const [from, to] = piece(original, random)
    return Buffer.from(original).fill(0, from, to)
  },
  'two pieces swapped': (original, random) => {
    const [from, to] = piece(original, random)
    return Buffer.concat([original.subarray(0, from), original.subarray(to), original.subarray(from, to)])
  },
  'a piece twice': (original, random) => {
    const [from, to] = piece(original, random)
    return Buffer.concat([original.subarray(0, to), original.subarray(from)])
  },
  'something behind it': (original, random) => Buffer.concat([original, random.bytes(1 + random.below(100))]),
  garbage: (_original, random) => random.bytes(1 + random.below(4000)),
  zeros: (original) => Buffer.alloc(original.length),
  empty: () => Buffer.alloc(0),
  'another header': (original, random) => {
    const end = original.indexOf(0x0a)
    const line = original.toString('latin1', 0, end)
    return Buffer.concat([Buffer.from(random.pick(HEADERS)(line)), original.subarray(end)])
  },
}

/** Headers that are whole, and say something else. */
const HEADERS: readonly ((line: string) => string)[] = [
  (line) => line.replace('/1 ', '/2 '),
  (line) => line.replace('/1 ', '/999999999 '),
  (line) => line.replace('/1 ', '/0 '),
  (line) => line.replace(/"generation":\d+/, '"generation":0'),
  (line) => line.replace(/"generation":\d+/, '"generation":9007199254740991'),
  (line) => line.replace(/"generation":\d+/, '"generation":-1'),
  (line) => line.replace(/"profile":"[^"]*"/, '"profile":"other"'),
  (line) => line.replace(/"profile":"[^"]*"/, '"profile":"../../x"'),
  (line) => line.replace(/"key_id":"[^"]*"/, '"key_id":"0000000000000000"'),
  (line) => line.replace(/"machine":[^,]*/, '"machine":null'),
  (line) => line.replace(/"machine":[^,]*/, '"machine":"ffffffffffffffff"'),
  (line) => line.replace(/"nonce":"[^"]*"/, '"nonce":"AAAAAAAAAAAAAAAA"'),
  (line) => line.replace(/ .*/, ' null'),
  (line) => line.replace(/ .*/, ' []'),
  (line) => line.replace(/ .*/, ` ${'['.repeat(900)}`),
  (line) => line.replace(/\{/, '{"__proto__":{"a":1},'),
]

/** A damaged copy. Never one that is the same. */
export function damaged(original: Buffer, random: Random): Damage {
  for (;;) {
    const [kind, way] = random.pick(Object.entries(WAYS))
    const bytes = way(original, random)
    if (!bytes.equals(original)) return { kind, bytes }
  }
}

function changed(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ mask
  return copy
}

function piece(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length)
  return [from, from + 1 + random.below(bytes.length - from)]
}
