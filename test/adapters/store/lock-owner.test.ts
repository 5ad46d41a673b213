import { mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  commandName,
  liveness,
  ownerFile,
  readOwnerFile,
  writeSpending,
} from '../../../src/adapters/store/lock-owner.ts'
import { here } from '../../../src/adapters/store/lock-process.ts'
import { beforeFileOperations } from '../../support/file-operations.ts'
import { deadPid, thisOwner } from '../../support/lock-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'codex-auth-owner-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('an owner file', () => {
  it('reads back, and belongs to a living process', () => {
    const { name, bytes } = ownerFile()
    writeFileSync(join(folder, name), bytes)
    const record = readOwnerFile(join(folder, name), name)

    expect(record).toEqual({
      owner: {
        ...here(),
        pid: process.pid,
        start: expect.any(String),
        command: expect.any(String),
        since: expect.closeTo(Date.now() / 1000, -1),
      },
      spending: undefined,
    })
    expect(record?.owner && liveness(record.owner, 0)).toBe('running')
  })

  it.runIf(process.platform === 'linux')('of a worker belongs to its thread, which can end alone', () => {
    const { name, bytes } = ownerFile({ ...thisOwner(), thread: deadPid() })
    writeFileSync(join(folder, name), bytes)
    const owner = readOwnerFile(join(folder, name), name)?.owner

    expect(owner?.thread).toEqual(expect.any(Number))
    expect(owner && liveness(owner, 0)).toBe('dead')
    expect(liveness({ ...thisOwner(), thread: process.pid }, 0)).toBe('running')
  })

  it('is of one size, before and after a token is spent', () => {
    const { name, bytes } = ownerFile({ ...thisOwner(), host: '"'.repeat(64), command: '"'.repeat(64) })
    const file = join(folder, name)
    writeFileSync(file, bytes)
    const before = statSync(file).size
    writeSpending(file, 'f'.repeat(64), 1_700_000_000)

    expect([before, statSync(file).size]).toEqual([1024, 1024])
    expect(readOwnerFile(file, name)).toMatchObject({
      owner: { host: '"'.repeat(64), command: '"'.repeat(64) },
      spending: { token: 'f'.repeat(64), at: 1_700_000_000, pid: process.pid },
    })
  })

  it('is not there, or is of another version', () => {
    const { name, bytes } = ownerFile()
    const newer = ownerFile(Object.assign(thisOwner(), { version: 2 }))
    writeFileSync(join(folder, newer.name), newer.bytes)

    expect(bytes.length).toBe(1024)
    expect(readOwnerFile(join(folder, name), name)).toBe(undefined)
    expect(writeSpending(join(folder, name), 'f', 1)).toBe(false)
    expect(readOwnerFile(join(folder, newer.name), newer.name)).toEqual({
      owner: undefined,
      spending: undefined,
    })
  })

  it('tells when it was removed between being opened and being written', () => {
    const { name, bytes } = ownerFile()
    const file = join(folder, name)
    writeFileSync(file, bytes)
    const stop = beforeFileOperations(folder, (operation) => {
      if (operation === 'writeSync') unlinkSync(file)
    })
    try {
      expect(writeSpending(file, 'f'.repeat(64), 1_700_000_000)).toBe(false)
    } finally {
      stop()
    }
  })

  it('has another name for every lock', () => {
    const owner = thisOwner()
    expect(ownerFile(owner).name).not.toBe(ownerFile(owner).name)
  })

  it('holds nothing of the command line but the program and our own subcommand', () => {
    expect(
      [
        ['node', '/usr/bin/codex-auth', 'token'],
        ['node', '/x/codex-auth.js', 'refresh', '--profile', 'work'],
        ['node', '/x/codex-auth.js', '--profile'],
        ['node', '/x/codex-auth.js', 'sk-secret'],
        ['node', '/home/me/agent.mjs', 'secret'],
        ['node', '/x/\u001b[31mred'],
        ['node'],
      ].map(commandName),
    ).toEqual([
      'codex-auth token',
      'codex-auth.js refresh',
      'codex-auth.js',
      'codex-auth.js',
      'agent.mjs',
      '?[31mred',
      'node',
    ])
  })
})
