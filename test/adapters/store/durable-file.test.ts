import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createOnce,
  flushFolder,
  isTemporaryOf,
  makePrivateFolder,
  replaceFile,
  stageFile,
  writing,
} from '../../../src/adapters/store/durable-file.ts'
import {
  beforeFileOperations,
  fileOperationsOf,
  refusing,
  type FileOperation,
} from '../../support/file-operations.ts'
import { buildStoreProgram, WITHOUT_MOUNTS, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { thrown } from '../../support/thrown.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let folder: string
let target: string

beforeEach(() => {
  folder = temporaryFolder()
  target = join(folder, 'work.cred')
})

let program: StoreProgram

beforeAll(async () => {
  program = await buildStoreProgram(temporaryFolder(afterAll))
})

afterAll(() => {
  program.close()
})

const bytes = (text: string): Uint8Array => Buffer.from(text)

function unwritable(why: string, path = target) {
  return {
    code: 'store_unwritable',
    exitCode: 7,
    message: `${path} cannot be written: ${why}.`,
    nextStep: 'free the disk or mend the permissions, and try again',
  }
}

/** Names, permissions and contents of everything in a folder. */
function contentOf(path: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path).map((name) => {
      const file = join(path, name)
      return [name, `${(statSync(file).mode & 0o777).toString(8)} ${readFileSync(file, 'utf8')}`]
    }),
  )
}

describe('a private folder', () => {
  test('is made with those above it, for its owner alone', () => {
    const path = join(folder, 'a', 'b', 'c')
    makePrivateFolder(path)
    expect(
      [path, dirname(path), dirname(dirname(path))].map((it) => (statSync(it).mode & 0o777).toString(8)),
    ).toEqual(['700', '700', '700'])
  })

  test('may be there already', () => {
    makePrivateFolder(folder)
    makePrivateFolder(folder)
    expect(readdirSync(folder)).toEqual([])
  })

  test('cannot be made where a file is', () => {
    writeFileSync(target, 'old')
    expect(thrown(() => makePrivateFolder(target))).toEqual(unwritable('EEXIST'))
    expect(thrown(() => makePrivateFolder(join(target, 'a')))).toEqual(
      unwritable('its folder is not a folder (ENOTDIR)', join(target, 'a')),
    )
  })
})

describe('replacing a file', () => {
  test('makes it, for its owner alone', () => {
    replaceFile(target, bytes('new'))
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 new' })
  })

  test.each(['', 'x', 'x'.repeat(100_000)])('leaves nothing of what was there before (%j)', (content) => {
    writeFileSync(target, 'old '.repeat(100), { mode: 0o644 })
    replaceFile(target, bytes(content))
    expect(contentOf(folder)).toEqual({ 'work.cred': `600 ${content}` })
  })

  test('makes a new file, so that a reader of the old one reads it to its end', () => {
    writeFileSync(target, 'old')
    const before = statSync(target).ino
    replaceFile(target, bytes('new'))
    expect(statSync(target).ino).not.toBe(before)
  })

  test('replaces a symbolic link, not what it leads to', () => {
    writeFileSync(join(folder, 'elsewhere'), 'old', { mode: 0o600 })
    symlinkSync(join(folder, 'elsewhere'), target)
    replaceFile(target, bytes('new'))
    expect(contentOf(folder)).toEqual({ elsewhere: '600 old', 'work.cred': '600 new' })
  })

  test.for([0, 0o400, 0o777])(
    'is readable only by its owner, and by that one, under the umask %o',
    (mask) => {
      const before = process.umask(mask)
      try {
        replaceFile(target, bytes('new'))
      } finally {
        process.umask(before)
      }
      expect(contentOf(folder)).toEqual({ 'work.cred': '600 new' })
    },
  )

  test('brings the content to the disk before the name, and the name before it is done', () => {
    expect(fileOperationsOf(folder, () => replaceFile(target, bytes('new')))).toEqual([
      'openSync .work.cred.*',
      'writeSync .work.cred.*',
      'ftruncateSync .work.cred.*',
      'fsyncSync .work.cred.*',
      'closeSync .work.cred.*',
      'openSync .work.cred.*',
      'writeSync .work.cred.*',
      'ftruncateSync .work.cred.*',
      'fsyncSync .work.cred.*',
      'closeSync .work.cred.*',
      'renameSync .work.cred.*',
      `openSync ${basename(folder)}`,
      `fsyncSync ${basename(folder)}`,
      `closeSync ${basename(folder)}`,
      'rmSync .work.cred.*',
    ])
  })

  test.each<[FileOperation, string, string]>([
    ['openSync', 'EACCES', 'permission denied (EACCES)'],
    ['openSync', 'ENOENT', 'its folder is gone (ENOENT)'],
    ['writeSync', 'ENOSPC', 'the disk is full (ENOSPC)'],
    ['writeSync', 'EDQUOT', 'the disk quota is used up (EDQUOT)'],
    ['writeSync', 'EFBIG', 'EFBIG'],
    ['ftruncateSync', 'EIO', 'the disk reports an error (EIO)'],
    ['fsyncSync', 'EIO', 'the disk reports an error (EIO)'],
    ['closeSync', 'EIO', 'the disk reports an error (EIO)'],
    ['renameSync', 'EPERM', 'permission denied (EPERM)'],
    ['renameSync', 'EROFS', 'the disk is read-only (EROFS)'],
  ])('leaves everything as it was when %s fails with %s', (operation, code, why) => {
    writeFileSync(target, 'old', { mode: 0o600 })
    const failure = thrown(() => refusing(folder, operation, code, () => replaceFile(target, bytes('new'))))
    expect(failure).toEqual(unwritable(why))
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 old' })
  })

  test('fails in a folder that is gone', () => {
    const path = join(folder, 'gone', 'work.cred')
    expect(thrown(() => replaceFile(path, bytes('new')))).toEqual(
      unwritable('its folder is gone (ENOENT)', path),
    )
  })

  test('fails below a file, and where a folder is', () => {
    mkdirSync(target)
    expect(thrown(() => replaceFile(target, bytes('new')))).toEqual(unwritable('EISDIR'))
    expect(readdirSync(folder)).toEqual(['work.cred'])
    writeFileSync(join(folder, 'file'), '')
    const path = join(folder, 'file', 'work.cred')
    expect(thrown(() => replaceFile(path, bytes('new')))).toEqual(
      unwritable('its folder is not a folder (ENOTDIR)', path),
    )
  })

  test('fails with the new content in place when only the folder cannot be flushed', () => {
    let flushes = 0
    const end = beforeFileOperations(folder, (operation, name) => {
      if (operation !== 'fsyncSync' || name !== basename(folder)) return
      flushes++
      throw Object.assign(new Error('refused by the test'), { code: 'EIO' })
    })
    const failure = thrown(() => replaceFile(target, bytes('new')))
    end()
    expect([flushes, failure, contentOf(folder)]).toEqual([
      1,
      unwritable('the disk reports an error (EIO)'),
      { 'work.cred': '600 new' },
    ])
  })

  test('by a process that is killed at any step leaves the old content or the new one, whole', async () => {
    const found: string[] = []
    for (let step = 1, isDone = false; !isDone && step < 50; step++) {
      writeFileSync(target, 'old', { mode: 0o600 })
      const writer = await program.start()
      const order = { kind: 'replace', path: target, content: 'new', dieAt: { folder, step } } as const
      isDone = await writer.ask(order).then(
        () => true,
        () => false,
      )
      await writer.kill()
      found.push(readFileSync(target, 'utf8'))
    }
    // It is killed ahead of each of seven changes up to the rename, and of two after it; the last one is let live.
    expect(found.join(' ')).toBe('old old old old old old old new new new')
  })
})

describe('a staged file', () => {
  test('takes the room it was asked for, with bytes that do not compress', () => {
    const staged = stageFile(target, 5000)
    const content = readFileSync(staged.path)
    expect([content.length, new Set(content).size]).toEqual([5000, 256])
    expect([statSync(staged.path).mode & 0o777, isTemporaryOf(target, basename(staged.path))]).toEqual([
      0o600,
      true,
    ])
    staged.discard()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is as long as its content when it takes its place', () => {
    const staged = stageFile(target, 5000)
    staged.fill(bytes('shorter'))
    staged.replaceTarget()
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 shorter' })
  })

  test('may be filled with more than was asked for', () => {
    const staged = stageFile(target, 10)
    staged.fill(bytes('x'.repeat(5000)))
    staged.replaceTarget()
    expect(contentOf(folder)).toEqual({ 'work.cred': `600 ${'x'.repeat(5000)}` })
  })

  test('that was discarded is gone, and the target stays', () => {
    writeFileSync(target, 'old', { mode: 0o600 })
    const staged = stageFile(target, 10)
    staged.discard()
    staged.discard()
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 old' })
  })

  test('is not removed under its new name when it is discarded later', () => {
    const staged = stageFile(target, 10)
    staged.fill(bytes('new'))
    staged.replaceTarget()
    staged.discard()
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 new' })
  })

  test('that somebody removed cannot be filled, and is not made again', () => {
    const staged = stageFile(target, 10)
    staged.discard()
    expect(thrown(() => staged.fill(bytes('new')))).toEqual(unwritable('its folder is gone (ENOENT)'))
    expect(readdirSync(folder)).toEqual([])
  })

  test('is known by its name among others', () => {
    const staged = stageFile(join(folder, 'a'), 1)
    const name = basename(staged.path)
    expect(
      ['a', 'b', '.a', 'a.cred', 'a.0123456789ab', ''].filter((other) =>
        isTemporaryOf(join(folder, other), name),
      ),
    ).toEqual(['a'])
    expect(
      [
        '.a.0123456789ab.tmp',
        '.a.0123456789a.tmp',
        '.a.0123456789AB.tmp',
        '.a.x.0123456789ab.tmp',
        '.a.tmp',
        'a',
      ].filter((other) => isTemporaryOf(join(folder, 'a'), other)),
    ).toEqual(['.a.0123456789ab.tmp'])
  })
})

describe('creating a file once', () => {
  test('makes it with its folder, for its owner alone', () => {
    const path = join(folder, 'home', 'key')
    createOnce(path, () => bytes('key'))
    expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700')
    expect(contentOf(dirname(path))).toEqual({ key: '600 key' })
  })

  test('leaves what is there, and does not even make a content', () => {
    writeFileSync(target, '')
    createOnce(target, () => {
      throw new Error('it was asked for a content')
    })
    expect(readFileSync(target, 'utf8')).toBe('')
  })

  test('brings the content to the disk before the name, and the name before it is done', () => {
    expect(fileOperationsOf(folder, () => createOnce(target, () => bytes('key')))).toEqual([
      `mkdirSync ${basename(folder)}`,
      'openSync .work.cred.*',
      'writeSync .work.cred.*',
      'ftruncateSync .work.cred.*',
      'fsyncSync .work.cred.*',
      'closeSync .work.cred.*',
      'linkSync .work.cred.*',
      `openSync ${basename(folder)}`,
      `fsyncSync ${basename(folder)}`,
      `closeSync ${basename(folder)}`,
      'rmSync .work.cred.*',
    ])
  })

  test('by twenty processes at once gives all of them the content of one', async () => {
    const processes = await Promise.all(Array.from({ length: 20 }, () => program.start()))
    const answers = await Promise.all(
      processes.map((it, number) =>
        it.ask({ kind: 'create once', path: target, content: `content ${number}` }),
      ),
    )
    const [first] = answers
    expect(answers).toEqual(Array.from({ length: 20 }, () => first))
    expect(contentOf(folder)).toEqual({ 'work.cred': expect.stringMatching(/^600 content \d+$/) as string })
  })

  test('leaves a symbolic link to nothing, for whoever reads it to refuse', () => {
    symlinkSync(join(folder, 'nowhere'), target)
    createOnce(target, () => bytes('key'))
    expect([existsSync(join(folder, 'nowhere')), readdirSync(folder)]).toEqual([false, ['work.cred']])
  })

  test.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('works on a file system without hard links (%s)', (code) => {
    refusing(folder, 'linkSync', code, () => createOnce(target, () => bytes('key')))
    expect(contentOf(folder)).toEqual({ 'work.cred': '600 key' })
  })

  test.each<[FileOperation, string, string]>([
    ['writeSync', 'ENOSPC', 'the disk is full (ENOSPC)'],
    ['fsyncSync', 'EIO', 'the disk reports an error (EIO)'],
    ['linkSync', 'EACCES', 'permission denied (EACCES)'],
  ])('leaves nothing behind when %s fails with %s', (operation, code, why) => {
    const failure = thrown(() =>
      refusing(folder, operation, code, () => createOnce(target, () => bytes('key'))),
    )
    expect(failure).toEqual(unwritable(why))
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a folder', () => {
  test('is flushed', () => {
    expect(fileOperationsOf(folder, () => flushFolder(folder))).toEqual([
      `openSync ${basename(folder)}`,
      `fsyncSync ${basename(folder)}`,
      `closeSync ${basename(folder)}`,
    ])
  })

  test('on a file system that cannot flush folders is as good as flushed', () => {
    // proc(5) refuses with EINVAL, as some network file systems do.
    expect(() => flushFolder('/proc/self')).not.toThrow()
    expect(() => refusing(folder, 'fsyncSync', 'ENOTSUP', () => flushFolder(folder))).not.toThrow()
  })

  test('that the disk fails to flush is a failure', () => {
    const flush = (): void => refusing(folder, 'fsyncSync', 'EIO', () => flushFolder(folder))
    expect(thrown(() => writing(folder, flush))).toEqual(
      unwritable('the disk reports an error (EIO)', folder),
    )
  })
})

const mounts = (path: string) => `mount -t tmpfs -o size=64k,mode=700 none ${path}`

describe('on a disk of 64 KiB', () => {
  test('what does not fit is refused, and nothing of it stays', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const writer = await program.start({ mounts: mounts(folder) })
    await writer.ask({ kind: 'replace', path: target, content: 'old' })

    const full = { thrown: unwritable('the disk is full (ENOSPC)') }
    expect(await writer.ask({ kind: 'stage', path: target, size: 64 * 1024 })).toEqual(full)
    expect(await writer.ask({ kind: 'replace', path: target, content: 'x'.repeat(100_000) })).toEqual(full)
    const once = join(folder, 'key')
    expect(await writer.ask({ kind: 'create once', path: once, content: 'x'.repeat(100_000) })).toEqual({
      thrown: unwritable('the disk is full (ENOSPC)', once),
    })

    expect(await writer.ask({ kind: 'files', path: folder })).toEqual({ result: ['work.cred'] })
    expect(await writer.ask({ kind: 'read private file', path: target })).toEqual({ result: 'old' })
  })

  test('that is read-only, nothing is written, and nothing of it stays', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const writer = await program.start({ mounts: mounts(folder) })
    await writer.ask({ kind: 'replace', path: target, content: 'old' })
    await writer.ask({ kind: 'make read-only', path: folder })

    const refused = { thrown: unwritable('the disk is read-only (EROFS)') }
    expect(await writer.ask({ kind: 'stage', path: target, size: 1 })).toEqual(refused)
    expect(await writer.ask({ kind: 'replace', path: target, content: 'new' })).toEqual(refused)
    const once = join(folder, 'key')
    expect(await writer.ask({ kind: 'create once', path: once, content: 'key' })).toEqual({
      thrown: unwritable('the disk is read-only (EROFS)', once),
    })

    expect(await writer.ask({ kind: 'files', path: folder })).toEqual({ result: ['work.cred'] })
    expect(await writer.ask({ kind: 'read private file', path: target })).toEqual({ result: 'old' })
  })
})

describe('the reason for a refusal', () => {
  test('is the system’s', () => {
    const failure = thrown(() =>
      writing('/a', () => refusing(folder, 'rmSync', 'ENODEV', () => rmSync(target))),
    )
    expect(failure).toEqual(unwritable('ENODEV', '/a'))
  })

  test('stays a bug when it is one', () => {
    const bug = new TypeError('x is not a function')
    const work = (): never => {
      throw bug
    }
    expect(() => writing('/a', work)).toThrow(bug)
  })
})
