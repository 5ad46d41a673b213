import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { generationPath, readGeneration, writeGeneration } from '../../../src/adapters/store/generation.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { thrown } from '../../support/thrown.ts'

let root: string
let path: string

beforeEach(() => {
  root = temporaryFolder()
  path = join(root, 'profiles', 'work.generation')
  mkdirSync(join(root, 'profiles'))
})

describe('the number of the last write', () => {
  test.each([0, 1, 42, 999_999_999_999_999])('comes back as it was written: %d', (generation) => {
    writeGeneration(root, 'work', generation)
    expect(readGeneration(root, 'work')).toBe(generation)
  })

  test('lies beside the credential, for its owner alone', () => {
    writeGeneration(root, 'work', 42)
    expect([generationPath(root, 'work'), readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual([
      path,
      '42\n',
      0o600,
    ])
  })

  test('is one for each profile', () => {
    writeGeneration(root, 'work', 42)
    expect(readGeneration(root, 'work.generation')).toBe(0)
  })

  test('is 0 when none was written', () => {
    expect(readGeneration(root, 'work')).toBe(0)
  })

  test('cannot be written into a folder that is gone', () => {
    const elsewhere = join(root, 'gone')
    expect(thrown(() => writeGeneration(elsewhere, 'work', 1))).toEqual({
      code: 'store_unwritable',
      exitCode: 7,
      message: `${generationPath(elsewhere, 'work')} cannot be written: its folder is gone (ENOENT).`,
      nextStep: 'free the disk or mend the permissions, and try again',
    })
  })
})

describe('a damaged number counts as none', () => {
  test.each([
    '',
    '\n',
    '42',
    ' 42\n',
    '42\n\n',
    '4 2\n',
    '-1\n',
    '0x2a\n',
    '1e3\n',
    '4.2\n',
    `${'9'.repeat(16)}\n`,
    'x\n',
  ])('when it is %j', (content) => {
    writeFileSync(path, content, { mode: 0o600 })
    expect(readGeneration(root, 'work')).toBe(0)
  })

  test('when it is far too long', () => {
    writeFileSync(path, '1'.repeat(1_000_000), { mode: 0o600 })
    expect(readGeneration(root, 'work')).toBe(0)
  })

  test('when others could have changed it', () => {
    writeGeneration(root, 'work', 42)
    chmodSync(path, 0o666)
    expect(readGeneration(root, 'work')).toBe(0)
  })

  test('when it is a symbolic link or a folder', () => {
    writeGeneration(root, 'home', 42)
    symlinkSync(generationPath(root, 'home'), path)
    expect(readGeneration(root, 'work')).toBe(0)
    mkdirSync(generationPath(root, 'other'))
    expect(readGeneration(root, 'other')).toBe(0)
  })
})
