import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { deadPid, plantLock, setAge } from '../test/support/lock-records.ts'
import { damaged } from './damage.ts'
import { oddRecord } from './odd-record.ts'
import type { Random } from './random.ts'

/** What was put in a lock's place. */
export interface DamagedLock {
  readonly kind: string
  /**
   * Its owner lives, gave a sign of life just now, and its record still has a name: nobody may take this lock, whatever
   * is in the record.
   */
  readonly guarded: boolean
  /** A file outside that a link leads to, or beside; it has to stay. */
  readonly witness: string
}

interface Scene {
  readonly path: string
  /** Its owner's record, in the lock. */
  readonly record: string
  readonly random: Random
  readonly witness: string
}

interface Way {
  readonly kind: string
  /** The record does not have its name any more, or the lock is no folder: its owner is as good as gone. */
  readonly unnamed?: boolean
  damage(scene: Scene): void
}

const WAYS: readonly Way[] = [
  {
    kind: 'record damaged',
    damage: ({ record, random }) => rewrite(record, damaged(readFileSync(record), random).bytes),
  },
  { kind: 'record damaged in its owner', damage: damageOwner },
  {
    kind: 'record damaged in what it spends',
    damage: ({ record, random }) => writeAt(record, 512, random.bytes(1 + random.below(512))),
  },
  { kind: 'record is a folder', damage: ({ record }) => replaced(record, () => mkdirSync(record)) },
  {
    kind: 'record is a link',
    damage: ({ record, witness }) => replaced(record, () => symlinkSync(witness, record)),
  },
  {
    kind: 'record is a pipe',
    damage: ({ record, witness }) => replaced(record, () => linkSync(pipeBeside(witness), record)),
  },
  { kind: 'record of 3 MiB', damage: ({ record }) => truncateSync(record, 3 << 20) },
  {
    kind: 'a second record',
    damage: ({ path, random }) => writeFileSync(join(path, ownerName(random)), random.bytes(1024)),
  },
  { kind: 'other things in it', damage: ({ path, random }) => litter(path, random) },
  { kind: 'not marked as ours', damage: ({ path }) => chmodSync(path, 0o700) },
  {
    kind: 'record with another name',
    unnamed: true,
    damage: ({ record, random }) =>
      renameSync(record, join(dirname(record), random.bytes(6).toString('hex'))),
  },
  {
    kind: "record with another record's name",
    damage: ({ record, random }) => renameSync(record, join(dirname(record), ownerName(random))),
  },
  { kind: 'no record', unnamed: true, damage: ({ record }) => rmSync(record) },
  {
    kind: 'a file',
    unnamed: true,
    damage: ({ path, random }) => replaced(path, () => writeFileSync(path, random.bytes(random.below(2000)))),
  },
  {
    kind: 'a link to nowhere',
    unnamed: true,
    damage: ({ path }) => replaced(path, () => symlinkSync('/nonexistent/x', path)),
  },
  {
    kind: 'a link to itself',
    unnamed: true,
    damage: ({ path }) => replaced(path, () => symlinkSync(path, path)),
  },
  {
    kind: 'a link to a folder',
    unnamed: true,
    damage: ({ path, witness }) => replaced(path, () => symlinkSync(dirname(witness), path)),
  },
  {
    kind: 'a pipe',
    unnamed: true,
    damage: ({ path, witness }) => replaced(path, () => linkSync(pipeBeside(witness), path)),
  },
  { kind: 'whole, with odd values', unnamed: true, damage: putOddRecord },
  { kind: 'things left beside it', damage: leaveBeside },
]

const AGES = [0, 0, 1, 44, 46, 120, 86_400, -1, -44, -46, -3600, -86_400 * 365]

/** Puts a lock there that something has happened to. Where its owner lives, it is this process. */
export function plantDamagedLock(path: string, outside: string, random: Random): DamagedLock {
  const witness = join(outside, 'witness')
  const ownerLives = random.below(2) === 0
  const age = random.pick(AGES)
  const others = [{ pid: (dead ??= deadPid()) }, { host: 'elsewhere' }, { boot: 'another' }, { start: '1' }]
  const record = join(path, plantLock(path, { owner: ownerLives ? {} : random.pick(others) }))
  const spending = { token: random.bytes(32).toString('hex'), at: 1_700_000_000 }
  if (random.below(2) === 0) writeAt(record, 512, Buffer.from(JSON.stringify(spending)))
  const { kind, unnamed = false, damage } = random.pick(WAYS)
  damage({ path, record, random, witness })
  if (existsSync(path) && !kind.startsWith('a link')) setAge(path, age)
  return { kind, guarded: ownerLives && !unnamed && Math.abs(age) <= 44, witness }
}

/** A process number that belongs to nobody. */
let dead: number | undefined

function damageOwner({ record, random }: Scene): void {
  writeAt(record, random.below(200), random.bytes(1 + random.below(100)))
}

function writeAt(path: string, at: number, bytes: Uint8Array): void {
  const content = readFileSync(path)
  content.set(bytes.subarray(0, content.length - at), at)
  rewrite(path, content)
}

/** As a new file: some file systems flush one that is cut to nothing and written again, which takes most of the time. */
function rewrite(path: string, bytes: Uint8Array): void {
  replaced(path, () => writeFileSync(path, bytes))
}

function replaced(path: string, replace: () => void): void {
  rmSync(path, { recursive: true })
  replace()
}

/** One for all: what opens it without care waits for ever, whatever its name. */
function pipeBeside(witness: string): string {
  const path = join(dirname(witness), 'pipe')
  if (!existsSync(path) && spawnSync('mkfifo', [path]).status !== 0)
    throw new Error('mkfifo does not work here')
  return path
}

function ownerName(random: Random): string {
  return `owner-${random.bytes(16).toString('hex')}`
}

function litter(path: string, random: Random): void {
  mkdirSync(join(path, 'folder', 'below'), { recursive: true })
  writeFileSync(join(path, 'folder', 'file'), random.bytes(10))
  writeFileSync(join(path, random.pick(['.hidden', 'z', 'owner-', 'owner-123'])), '')
}

function putOddRecord({ path, record, random }: Scene): void {
  const { name, bytes } = oddRecord(random)
  rmSync(record)
  writeFileSync(join(path, name), bytes)
}

function leaveBeside({ path, random }: Scene): void {
  const sibling = (suffix: string): string =>
    join(dirname(path), `.default.lock.${ownerName(random)}${suffix}`)
  writeFileSync(sibling('.died'), random.bytes(random.below(2000)))
  mkdirSync(sibling('.died'))
  mkdirSync(join(sibling('.gone'), 'below'), { recursive: true })
  writeFileSync(sibling(''), '')
  mkdirSync(sibling(''))
  symlinkSync('/nonexistent', sibling('.died'))
}
