import { createHash } from 'node:crypto'
import type { Random } from './random.ts'

/** A lock owner's record whose name is right, so that what it says is believed as far as it makes sense. */
export function oddRecord(random: Random): { readonly name: string; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(1024, ' ')
  bytes.write(random.pick(ODD_RECORDS).slice(0, 512))
  bytes.write(random.pick(ODD_SPENDINGS).slice(0, 512), 512)
  const hash = createHash('sha256').update(bytes.subarray(0, 512)).digest('hex')
  return { name: `owner-${hash.slice(0, 32)}`, bytes }
}

const owner = (changes: object): string =>
  JSON.stringify({
    version: 1,
    pid: 1,
    command: 'x',
    since: 1,
    host: 'h',
    start: '1',
    machine: 'm',
    boot: 'b',
    namespaces: 'n',
    ...changes,
  })

const ODD_RECORDS = [
  owner({ pid: 0 }),
  owner({ pid: -1 }),
  owner({ pid: 2 ** 31 }),
  owner({ pid: '1' }),
  owner({ pid: 1.5 }),
  owner({ since: -1 }),
  owner({ since: 1e300 }),
  owner({ since: '1' }),
  owner({ command: '\u001B[2J' }),
  owner({ command: 'a'.repeat(400) }),
  owner({ host: '' }),
  owner({ boot: 7 }),
  owner({ version: 2 }),
  owner({ version: undefined }),
  'null',
  '[]',
  '"text"',
  '1e999',
  '['.repeat(500),
  '{"__proto__":{"pid":1}}',
]

const ODD_SPENDINGS = [
  '',
  'null',
  '{"token":1,"at":1}',
  '{"token":"x","at":-1}',
  '{"token":"x","at":1e300}',
  `{"token":"${'a'.repeat(200)}","at":1}`,
  '{"token":"\u001B[2J","at":1}',
]
