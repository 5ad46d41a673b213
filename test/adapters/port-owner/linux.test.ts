import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listeningSockets, ownerInProc, programName } from '../../../src/adapters/port-owner/linux.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:05AF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1249433 1 000000001a2a6176 100 0 0 10 0
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 637 1 000000000bcbbe64 100 0 0 10 0
   2: 0100007F:05AF 0100007F:E9BE 01 00000000:00000000 03:00001376 00000000  1000        0 1249500 3 00000000e11d8190
   3: 0100007F:E9BE 0100007F:05B1 06 00000000:00000000 03:00001376 00000000     0        0 0 3 00000000e11d8190
   4: AF050000:0001 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 638 1 000000000bcbbe64 100 0 0 10 0
`
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:05AF 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1249434 1 000000001a2a6176 100 0 0 10 0
`

describe('the table of sockets', () => {
  test.each([
    [1455, ['socket:[1249433]']],
    [2024, ['socket:[637]']],
    [1, ['socket:[638]']],
    [1457, []],
    [0xe9be, []],
  ])('names those that listen on %i', (port, sockets) => {
    expect(listeningSockets(TCP, port)).toEqual(sockets)
  })

  test('has the addresses of IPv6 in the same form', () => {
    expect(listeningSockets(TCP6, 1455)).toEqual(['socket:[1249434]'])
  })

  test.each(['', '\n', 'something else: 0100007F:05AF'])('may be none: %j', (table) => {
    expect(listeningSockets(table, 1455)).toEqual([])
  })
})

describe('the process', () => {
  test('is the first of those that have the socket', async () => {
    const proc = procFolder({
      7: { exe: '/usr/bin/other', fds: ['socket:[1249500]', '/dev/null'] },
      30: { exe: '/usr/local/bin/codex', fds: ['/dev/null', 'socket:[1249433]'] },
      200: { exe: '/usr/bin/worker', fds: ['socket:[1249433]'] },
    })
    expect(await find(proc)).toEqual({ pid: 30, command: 'codex' })
  })

  test('may listen on IPv6 alone', async () => {
    const proc = procFolder({ 9: { exe: '/usr/bin/node', fds: ['socket:[1249434]'], commandLine: 'node\0' } })
    writeFileSync(join(proc, 'net/tcp'), '')
    expect(await find(proc)).toEqual({ pid: 9, command: 'node' })
  })

  test('may be another user’s, and then it is not known', async () => {
    expect(await find(procFolder({ 7: { exe: '/usr/bin/other', fds: [] }, 8: {} }))).toBeUndefined()
  })

  test('may have no name that can be learned', async () => {
    expect(await find(procFolder({ 7: { fds: ['socket:[1249433]'] } }))).toEqual({
      pid: 7,
      command: undefined,
    })
  })

  test('is not sought where nothing listens, or there is no such folder', async () => {
    expect(await ownerInProc(1456, NEVER, procFolder({}))).toBeUndefined()
    expect(await ownerInProc(1455, NEVER, '/nowhere')).toBeUndefined()
  })

  test('is sought no longer than somebody waits', async () => {
    const proc = procFolder({ 7: { fds: ['socket:[1249433]'] } })
    await expect(ownerInProc(1455, AbortSignal.abort(new Error('late')), proc)).rejects.toThrow('late')
  })
})

test.each([
  ['/usr/local/bin/codex', 'codex\0login\0--secret\0', 'codex'],
  ['/usr/local/bin/codex (deleted)', 'codex\0', 'codex'],
  ['/opt/my app/my app', 'my app\0', 'my app'],
  [
    '/usr/bin/node',
    '/usr/bin/node\0/usr/lib/node_modules/codex-auth/bin/codex-auth.js\0login\0',
    'node codex-auth.js',
  ],
  ['/usr/bin/node', 'node\0--inspect\0server.js\0', 'node'],
  ['/usr/bin/node', 'node\0-e\0secret\0', 'node'],
  ['/usr/bin/node', 'npm run dev', 'node'],
  ['/usr/bin/node', '', 'node'],
  ['/usr/bin/python3.11', 'python3\0serve.py\0', 'python3.11 serve.py'],
  ['/usr/bin/nodelike', 'nodelike\0secret\0', 'nodelike'],
  ['/tmp/\u001b[31mred\n', '', '?[31mred?'],
])('the program %j with %j is %j to people', (program, commandLine, name) => {
  expect(programName(program, commandLine)).toBe(name)
})

interface Process {
  readonly exe?: string
  readonly commandLine?: string
  readonly fds?: readonly string[]
}

/** A folder as `/proc` is, with these processes. */
function procFolder(processes: Readonly<Record<number, Process>>): string {
  const proc = temporaryFolder()
  mkdirSync(join(proc, 'net'))
  writeFileSync(join(proc, 'net/tcp'), TCP)
  writeFileSync(join(proc, 'net/tcp6'), TCP6)
  for (const [pid, { exe, commandLine, fds }] of Object.entries(processes)) {
    const folder = join(proc, pid)
    mkdirSync(join(folder, fds === undefined ? '' : 'fd'), { recursive: true })
    for (const [number, target] of (fds ?? []).entries())
      symlinkSync(target, join(folder, 'fd', String(number)))
    if (exe !== undefined) symlinkSync(exe, join(folder, 'exe'))
    if (commandLine !== undefined) writeFileSync(join(folder, 'cmdline'), commandLine)
  }
  return proc
}

const NEVER = new AbortController().signal

function find(proc: string): ReturnType<typeof ownerInProc> {
  return ownerInProc(1455, NEVER, proc)
}
