import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ownerFromNetstat, parseNetstat, parseTasklist } from '../../../src/adapters/port-owner/windows.ts'
import { portOwner, type FindPortOwner } from '../../../src/adapters/port-owner.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'

const NETSTAT = [
  '',
  'Active Connections',
  '',
  '  Proto  Local Address          Foreign Address        State           PID',
  '  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       1096',
  '  TCP    127.0.0.1:1455         127.0.0.1:50123        ESTABLISHED     7777',
  '  TCP    127.0.0.1:50123        127.0.0.1:1457         ESTABLISHED     7778',
  '  TCP    127.0.0.1:1455         0.0.0.0:0              LISTENING       4711',
  '  TCP    [::1]:1457             [::]:0                 LISTENING       4712',
  '  UDP    0.0.0.0:1458           *:*                                    4713',
  '',
].join('\r\n')
const GERMAN = [
  'Aktive Verbindungen',
  '  Proto  Lokale Adresse         Remoteadresse          Status           PID',
  '  TCP    127.0.0.1:1455         0.0.0.0:0              ABH\x99REN         4711',
].join('\r\n')
const TASKLIST = [
  '"System Idle Process","0","Services","0","8 K"',
  '"codex.exe","4711","Console","1","45,120 K"',
  '"my app.exe","47110","Console","1","120 K"',
  '',
].join('\r\n')

describe('netstat', () => {
  test.each([
    [1455, 4711],
    [1457, 4712],
    [135, 1096],
    [1458, undefined],
    [455, undefined],
    [50123, undefined],
  ])('says who listens on %i', (port, pid) => {
    expect(parseNetstat(NETSTAT, port)).toBe(pid)
  })

  test('says so in any language', () => {
    expect(parseNetstat(GERMAN, 1455)).toBe(4711)
  })
})

test.each([
  [4711, 'codex.exe'],
  [47110, 'my app.exe'],
  [471, undefined],
])('tasklist names %i', (pid, name) => {
  expect(parseTasklist(TASKLIST, pid)).toBe(name)
})

test.each([
  ['both answer', `cat <<'E'\n${TASKLIST}\nE`, { pid: 4711, command: 'codex.exe' }],
  ['the name is not known', 'echo "INFO: No tasks are running"', { pid: 4711, command: undefined }],
  ['the names cannot be had', 'exit 1', { pid: 4711, command: undefined }],
  ['the names come too late', 'exec sleep 20', { pid: 4711, command: undefined }],
])(
  'when %s',
  async (_what, tasklist, owner) => {
    const folder = temporaryFolder()
    program(join(folder, 'netstat.exe'), `cat <<'E'\n${NETSTAT}\nE`)
    program(join(folder, 'tasklist.exe'), tasklist)
    const find: FindPortOwner = (port, signal) => ownerFromNetstat(port, signal, `${folder}/`)
    // A machine that has too much to do may not tell in time.
    await expect.poll(() => portOwner(1455, find), { timeout: 10_000 }).toEqual(owner)
  },
  20_000,
)

test('when nobody listens', async () => {
  const folder = temporaryFolder()
  program(join(folder, 'netstat.exe'), `cat <<'E'\n${NETSTAT}\nE`)
  program(join(folder, 'tasklist.exe'), '')
  expect(await ownerFromNetstat(1456, new AbortController().signal, `${folder}/`)).toBeUndefined()
})

function program(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o700)
}
