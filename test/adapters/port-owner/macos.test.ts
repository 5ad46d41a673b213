import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ownerFromLsof, parseLsof } from '../../../src/adapters/port-owner/macos.ts'
import { listeningChild } from './listening-child.ts'

test.each([
  ['one process', 'p4711\nccodex\nf12\n', { pid: 4711, command: 'codex' }],
  ['one that listens on both families', 'p4711\ncnode\nf21\nf22\n', { pid: 4711, command: 'node' }],
  ['a server and its worker', 'p4711\ncnginx\nf6\np4712\ncnginx\nf6\n', { pid: 4711, command: 'nginx' }],
  ['a name with spaces', 'p4711\ncGoogle\\x20Chrome\\x20H\nf21\n', { pid: 4711, command: 'Google Chrome H' }],
  ['a name that is no text', 'p4711\nca\\x1b[31m\\xc3\\xa9\nf21\n', { pid: 4711, command: 'a?[31m??' }],
  ['no name', 'p4711\nf12\n', { pid: 4711, command: undefined }],
  ['nobody', '', undefined],
  ['something else', 'lsof: WARNING: cannot stat\n', undefined],
])('lsof says: %s', (_what, output, owner) => {
  expect(parseLsof(output)).toEqual(owner)
})

test('lsof is asked for the one that listens', async (context) => {
  const lsof = ['/usr/sbin/lsof', '/usr/bin/lsof'].find((path) => existsSync(path))
  context.skip(lsof === undefined, 'there is no lsof(8)')
  const { pid, port } = await listeningChild('127.0.0.1')
  expect(await ownerFromLsof(port, new AbortController().signal, lsof)).toEqual({
    pid,
    command: expect.stringMatching(/^(node|MainThread)/) as string,
  })
})
