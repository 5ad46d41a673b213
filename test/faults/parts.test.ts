import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { damaged } from '../../faults/damage.ts'
import { eachOf } from '../../faults/each-of.ts'
import { randomFrom } from '../../faults/random.ts'
import { stepsIn } from '../../faults/strace.ts'
import { markdown, tableOf } from '../../faults/table.ts'
import { Tally } from '../../faults/tally.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

describe('a tally', () => {
  test('adds up its tries, and calls every rule by its name that did not hold', () => {
    const tally = new Tally('a fault')
    tally.add({ refreshes: 1 })
    tally.add({ refreshes: 2, spentTwice: 1, lost: 1, damaged: 1, hangs: 1, broken: ['it said so'] })
    expect(tally.row('so it is')).toEqual({
      fault: 'a fault',
      tried: 2,
      refreshes: 3,
      spentTwice: 1,
      lost: 1,
      damaged: 1,
      hangs: 1,
      notes: 'so it is',
      inevitable: false,
    })
    expect(tally.broken()).toEqual([
      'a fault: it said so',
      'a fault: a refresh token was sent 1 times too often',
      'a fault: a login was lost',
      'a fault: 1 file(s) damaged',
      'a fault: 1 process(es) hung',
    ])
  })

  test('of an inevitable loss allows one for each try, and asking once more to find out, and no more', () => {
    const tally = new Tally('a fault', { inevitable: true })
    tally.add({ refreshes: 2, spentTwice: 1, lost: 1 })
    expect(tally.broken()).toEqual([])
    tally.add({ refreshes: 3, spentTwice: 2, lost: 1, damaged: 1 })
    expect(tally.broken()).toEqual([
      'a fault: a refresh token was sent 2 times too often',
      'a fault: 1 file(s) damaged',
    ])
  })

  test('says how often, where the same happened more than once', () => {
    const tally = new Tally('a fault')
    for (let at = 0; at < 3; at++) tally.add({ lost: 1 })
    expect(tally.broken()).toEqual(['a fault: a login was lost (3 times)'])
  })
})

test('the table has inevitable losses in parentheses, and says what was not tried', () => {
  const row = { tried: 3, refreshes: 6, spentTwice: 3, lost: 3, damaged: 0, hangs: 0, notes: 'as it must be' }
  const none = { tried: 0, refreshes: 0, spentTwice: 0, lost: 0, damaged: 0, hangs: 0, notes: '' }
  const table = tableOf([
    { fault: 'one', ...row, inevitable: true },
    { fault: 'two', ...row },
    { fault: 'three', ...none, skipped: 'strace is not installed' },
  ])
  expect(
    table
      .split('\n')
      .slice(2)
      .map((line) => line.replaceAll(/ +/g, ' ')),
  ).toEqual([
    '| one | 3 | 6 | (3) | (3) | 0 | 0 | as it must be |',
    '| two | 3 | 6 | 3 | 3 | 0 | 0 | as it must be |',
    '| three | not tried | – | – | – | – | – | strace is not installed |',
    '',
  ])
})

test('numbers stand to the right in a table, and a bar in a cell does not end it', () => {
  expect(markdown(['name', 'count'], [['a|b', '7']])).toBe(
    ['| name | count |', '|------|------:|', '| a\\|b |     7 |', ''].join('\n'),
  )
})

test('the same seed makes the same choices, and a branch does not depend on what was taken before', () => {
  expect(choicesAfter(0)).toEqual(choicesAfter(9))
  expect(randomFrom(5).branch('a scenario').next()).not.toBe(randomFrom(6).branch('a scenario').next())
})

function choicesAfter(taken: number): unknown[] {
  const random = randomFrom(5)
  for (let at = 0; at < taken; at++) random.next()
  const branch = random.branch('a scenario')
  return [
    branch.next(),
    branch.below(1000),
    branch.sample([1, 2, 3, 4, 5], 2),
    branch.bytes(4).toString('hex'),
  ]
}

test('a damaged copy is never the same as the original', () => {
  const original = Buffer.from('codex-auth-credential/1 {"generation":1,"machine":null}\n0123456789')
  const random = randomFrom(1)
  const copies = Array.from({ length: 3000 }, () => damaged(original, random))
  expect(copies.filter(({ bytes }) => bytes.equals(original))).toEqual([])
  expect(new Set(copies.map(({ kind }) => kind)).size).toBe(13)
})

test('of many items, only as many are worked on at once as there is room for; the first failure ends it', async () => {
  let [now, most] = [0, 0]
  const work = async (item: number): Promise<number> => {
    now += 1
    most = Math.max(most, now)
    await Promise.resolve()
    now -= 1
    if (item === 9) throw new Error('nine')
    return 2 * item
  }
  expect(await eachOf([1, 2, 3, 4, 5], 2, work)).toEqual([2, 4, 6, 8, 10])
  expect(most).toBe(2)
  const worked: number[] = []
  const failing = eachOf([1, 9, 3, 4, 5, 6], 1, (item) => {
    worked.push(item)
    return work(item)
  })
  await expect(failing).rejects.toThrow('nine')
  expect(worked).toEqual([1, 9])
})

test("the steps of a run are the main thread's calls on its files and its connection, with names that do not change", () => {
  const log = join(temporaryFolder(), 'log')
  const lock = '/home/x/profiles/.default.lock.owner-0123456789abcdef0123456789abcdef'
  writeFileSync(
    log,
    [
      '7 execve("/usr/bin/node", ["node"], 0x7ffe /* 5 vars */) = 0',
      '7 openat(AT_FDCWD</work>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 17</etc/hosts>',
      `7 mkdir("${lock}", 0700) = 0`,
      '8 openat(AT_FDCWD</work>, "/home/x/key", O_RDONLY|O_CLOEXEC) = 18</home/x/key>',
      `7 rename("${lock}", "/home/x/profiles/default.lock") = 0`,
      '7 openat(AT_FDCWD</work>, "/home/x/profiles/.default.cred.0123456789ab.tmp", O_WRONLY|O_CREAT|O_EXCL, 0600) = 17</home/x/profiles/.default.cred.0123456789ab.tmp>',
      '7 fsync(17</home/x/profiles/.default.cred.0123456789ab.tmp> <unfinished ...>',
      '8 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 0',
      '7 <... fsync resumed>) = 0',
      '7 read(20<anon_inode:[eventfd]>, "1", 1024) = 8',
      '7 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 17<TCP:[9]>',
      '7 read(17<TCP:[127.0.0.1:1->127.0.0.1:2]>, "HTTP/1.1 200 OK", 65536) = 15',
      '7 read(17<TCP:[127.0.0.1:1->127.0.0.1:2]>, "", 65536) = 0',
      '7 +++ killed by SIGKILL +++',
      '',
    ].join('\n'),
  )
  expect(
    stepsIn(log, '/home/x').map(({ name, syscall, nth, occurrence }) => [name, syscall, nth, occurrence]),
  ).toEqual([
    ['mkdir profiles/.default.lock.owner-*', 'mkdir', 1, 1],
    ['rename profiles/.default.lock.owner-* → profiles/default.lock', 'rename', 1, 1],
    ['openat to create profiles/.default.cred.*.tmp', 'openat', 2, 1],
    ['fsync profiles/.default.cred.*.tmp', 'fsync', 1, 1],
    ['socket connection', 'socket', 1, 1],
    ['read connection', 'read', 2, 1],
    ['read connection', 'read', 3, 2],
  ])
})
