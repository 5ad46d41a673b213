import { createHash, randomBytes } from 'node:crypto'
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { profileStore } from '../../../src/adapters/store/profile-store.ts'
import type { Credential } from '../../../src/core/credential.ts'
import type { CredentialStore, HeldCredential } from '../../../src/core/ports.ts'
import { sampleCredential } from '../../support/credentials.ts'
import { fileOperationsOf, refusing } from '../../support/file-operations.ts'
import { buildStoreProgram, WITHOUT_MOUNTS, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { everythingIn, thrown } from '../../support/thrown.ts'

let root: string
let folder: string
let path: string
let store: CredentialStore

beforeEach(() => {
  root = temporaryFolder()
  folder = join(root, 'profiles')
  path = join(folder, 'work.cred')
  store = storeHere()
  // The second place for what could not be kept at the first.
  vi.stubEnv('TMPDIR', temporaryFolder())
  return () => vi.unstubAllEnvs()
})

function storeHere(): CredentialStore {
  return profileStore({ root, lockWait: 30, interruption: new AbortController().signal })
}

/** Does something while this process holds the lock of the profile `work`. */
function holding<T>(work: (held: HeldCredential) => T): Promise<T> {
  return store.exclusively('work', { work: async (held) => work(held) })
}

function save(credential: Credential) {
  return holding((held) => held.save(credential))
}

/** The names of what lies beside the credential, apart from the lock. */
function names(): string[] {
  return readdirSync(folder)
    .filter((name) => name !== 'work.lock')
    .toSorted()
}

describe('proving that an answer can be kept', () => {
  test('takes room on the disk until it is given back', async () => {
    await save(sampleCredential())
    await holding((held) => {
      held.reserve()
      held.reserve()
      const staged = names().filter((name) => /^\.work\.cred\.[0-9a-f]{12}\.tmp$/.test(name))
      expect(staged.map((name) => statSync(join(folder, name)).size)).toEqual([256 * 1024])
      held.release()
      expect(names()).toEqual(['work.cred', 'work.generation'])
    })
  })

  test('gives nothing back when nothing was taken', async () => {
    await holding((held) => held.release())
    expect(names()).toEqual([])
  })

  test('removes what killed processes left of this profile, and of no other', async () => {
    await save(sampleCredential())
    const own = ['.work.cred.0123456789ab.tmp', '.work.generation.0123456789ab.tmp']
    const others = [
      '.home.cred.0123456789ab.tmp',
      '.work.cred.cred.0123456789ab.tmp',
      '.work.generation.cred.0123456789ab.tmp',
    ]
    for (const name of [...own, ...others]) writeFileSync(join(folder, name), '')
    await save(sampleCredential())
    expect(names()).toEqual([...others, 'work.cred', 'work.generation'])
  })

  test.each([
    ['writeSync', 'ENOSPC', 'the disk is full (ENOSPC)'],
    ['fsyncSync', 'EIO', 'the disk reports an error (EIO)'],
    ['openSync', 'EROFS', 'the disk is read-only (EROFS)'],
  ] as const)(
    'fails when %s fails with %s, and leaves everything as it was',
    async (operation, code, why) => {
      await save(sampleCredential())
      const before = readFileSync(path)
      await holding((held) => {
        const failure = thrown(() => refusing(folder, operation, code, () => held.reserve()))
        expect(failure).toEqual({
          code: 'store_unwritable',
          exitCode: 7,
          message: `${path} cannot be written: ${why}.`,
          nextStep: 'free the disk or mend the permissions, and try again',
        })
        held.release()
      })
      expect([readFileSync(path), names()]).toEqual([before, ['work.cred', 'work.generation']])
    },
  )

  test('fails without a key that can seal it', async () => {
    await save(sampleCredential())
    truncateSync(join(root, 'key'), 31)
    await holding((held) => {
      expect(thrown(() => held.reserve())).toEqual({
        code: 'store_corrupt',
        exitCode: 6,
        message: `The key file ${root}/key is damaged.`,
        nextStep: `mv ${root}/key ${root}/key.damaged && codex-auth login`,
      })
    })
    expect(names()).toEqual(['work.cred', 'work.generation'])
  })
})

describe('saving', () => {
  test('needs no room that was not taken before, when it was', async () => {
    const credential = sampleCredential()
    const operations = await holding((held) => {
      held.reserve()
      return fileOperationsOf(root, () => held.save(credential)).filter((it) => !/^(open|close)Sync/.test(it))
    })
    expect(operations).toEqual([
      // The new content, on the disk before it takes the old one's place.
      'writeSync .work.cred.*',
      'ftruncateSync .work.cred.*',
      'fsyncSync .work.cred.*',
      'renameSync .work.cred.*',
      'fsyncSync profiles',
      // The number of the write only afterwards: a number without its credential would refuse a good one.
      'writeSync .work.generation.*',
      'ftruncateSync .work.generation.*',
      'fsyncSync .work.generation.*',
      'writeSync .work.generation.*',
      'ftruncateSync .work.generation.*',
      'fsyncSync .work.generation.*',
      'renameSync .work.generation.*',
      'fsyncSync profiles',
      'rmSync .work.generation.*',
      'rmSync .work.cred.*',
    ])
    expect(store.read('work')).toStrictEqual({ credential, generation: 1 })
  })

  test('takes its room itself when nobody has', async () => {
    const credential = sampleCredential()
    expect(await save(credential)).toStrictEqual({ credential, generation: 1 })
    expect(names()).toEqual(['work.cred', 'work.generation'])
  })

  test('may be done twice under one lock', async () => {
    const [first, second] = [sampleCredential(), sampleCredential()]
    const stored = await holding((held) => [held.save(first), held.save(second), held.read()])
    expect(stored).toStrictEqual([
      { credential: first, generation: 1 },
      { credential: second, generation: 2 },
      { credential: second, generation: 2 },
    ])
  })

  test('keeps a credential larger than the room that was taken', async () => {
    const large = sampleCredential({ accessToken: 'x'.repeat(256 * 1024), idToken: 'y'.repeat(256 * 1024) })
    await holding((held) => {
      held.reserve()
      held.save(large)
    })
    expect(storeHere().read('work')).toStrictEqual({ credential: large, generation: 1 })
  })

  test('does not fail when only the number of the write cannot be kept', async () => {
    mkdirSync(join(folder, 'work.generation'), { recursive: true })
    const credential = sampleCredential()
    expect(await save(credential)).toStrictEqual({ credential, generation: 1 })
    expect(storeHere().read('work')).toStrictEqual({ credential, generation: 1 })
  })
})

const rescue = () => `${path}.rescue`
const temporary = () => {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return join(process.env['TMPDIR'] ?? '', `codex-auth-${process.getuid?.()}-${name}.rescue`)
}

/** Saves while the disk refuses to let files take their place, in the profile's folder or everywhere. */
async function failToSave(credential: Credential, refusedBelow: string) {
  return holding((held) => {
    held.reserve()
    return thrown(() => refusing(refusedBelow, 'renameSync', 'EIO', () => held.save(credential)))
  })
}

function kept(where: string) {
  return {
    code: 'store_unwritable',
    exitCode: 7,
    message: `${path} cannot be written: the disk reports an error (EIO). The new tokens are kept, sealed, in ${where}.`,
    nextStep: 'mend the disk and run the command again; it will put them into their place',
  }
}

describe('an answer that cannot take its place', () => {
  test('is kept in the system’s temporary folder, found there, and put into its place later', async () => {
    const [old, fresh] = [sampleCredential(), sampleCredential()]
    await save(old)
    expect(await failToSave(fresh, folder)).toEqual(kept(temporary()))
    expect(names()).toEqual(['work.cred', 'work.generation'])
    const stored = { credential: fresh, generation: 2 }
    expect([store.read('work'), storeHere().read('work')]).toStrictEqual([stored, stored])
    const bytes = readFileSync(temporary())
    expect([statSync(temporary()).mode & 0o777, bytes.includes(fresh.accessToken)]).toEqual([0o600, false])

    await store.recover('work')
    expect(readdirSync(process.env['TMPDIR'] ?? '')).toEqual([])
    expect(readFileSync(path)).toEqual(bytes)
    expect([store.read('work'), storeHere().read('work')]).toStrictEqual([stored, stored])
  })

  test('is said to be lost when nothing takes it, without being told', async () => {
    const [old, fresh] = [sampleCredential(), sampleCredential()]
    await save(old)
    let told = ''
    const failure = await holding((held) => {
      held.reserve()
      try {
        return refusing('/', 'renameSync', 'EIO', () => held.save(fresh))
      } catch (error) {
        told = everythingIn(error)
        return thrown(() => {
          throw error
        })
      }
    })
    expect(failure).toEqual({
      code: 'store_unwritable',
      exitCode: 7,
      message: `${path} cannot be written: the disk reports an error (EIO). The new tokens could not be kept anywhere and are lost.`,
      nextStep: 'mend the disk, then sign in again: codex-auth login',
    })
    const secrets = [fresh.accessToken, fresh.refreshToken, fresh.idToken]
    expect(secrets.filter((secret) => told.includes(secret ?? ''))).toEqual([])
    expect([store.read('work')?.credential, names()]).toEqual([old, ['work.cred', 'work.generation']])
  })

  test('is overtaken by a later login, and removed', async () => {
    const [fresh, newest] = [sampleCredential(), sampleCredential()]
    await failToSave(fresh, folder)
    expect(await save(newest)).toStrictEqual({ credential: newest, generation: 2 })
    expect(storeHere().read('work')).toStrictEqual({ credential: newest, generation: 2 })
    await store.recover('work')
    expect([readdirSync(process.env['TMPDIR'] ?? ''), store.read('work')?.generation]).toEqual([[], 2])
  })

  test('goes with the login when it ends', async () => {
    await save(sampleCredential())
    await failToSave(sampleCredential(), folder)
    writeFileSync(rescue(), 'damaged', { mode: 0o600 })
    await holding((held) => held.remove())
    expect([storeHere().read('work'), readdirSync(process.env['TMPDIR'] ?? ''), names()]).toEqual([
      undefined,
      [],
      ['work.generation'],
    ])
  })

  test('is put into its place when its process was killed just before that', async () => {
    const [old, fresh] = [sampleCredential(), sampleCredential()]
    await save(old)
    const before = readFileSync(path)
    await save(fresh)
    const left = join(folder, '.work.cred.0123456789ab.tmp')
    renameSync(path, left)
    writeFileSync(path, before, { mode: 0o600 })
    writeFileSync(join(folder, 'work.generation'), '1\n', { mode: 0o600 })
    await holding(() => undefined)
    expect(storeHere().read('work')).toStrictEqual({ credential: fresh, generation: 2 })
    expect(names()).toEqual(['work.cred', 'work.generation'])
  })

  test('is not taken from room that was kept for one, or from an older answer', async () => {
    const [old, fresh] = [sampleCredential(), sampleCredential()]
    await save(old)
    copyFileSync(path, join(folder, '.work.cred.0123456789ab.tmp'))
    await save(fresh)
    copyFileSync(path, join(folder, '.work.cred.0123456789ac.tmp'))
    writeFileSync(join(folder, '.work.cred.0123456789ad.tmp'), randomBytes(500), { mode: 0o600 })
    await holding(() => undefined)
    expect(storeHere().read('work')).toStrictEqual({ credential: fresh, generation: 2 })
    expect(names()).toEqual(['work.cred', 'work.generation'])
  })

  test('is left where it is while the key is away', async () => {
    await save(sampleCredential())
    const left = join(folder, '.work.cred.0123456789ab.tmp')
    copyFileSync(path, left)
    renameSync(join(root, 'key'), join(root, 'away'))
    await holding(() => undefined)
    expect(readFileSync(left)).toEqual(readFileSync(path))
  })

  test.skipIf(process.getuid?.() !== 0)(
    'ignores what another user put into the temporary folder',
    async () => {
      const credential = sampleCredential()
      await save(credential)
      writeFileSync(temporary(), '', { mode: 0o600 })
      chownSync(temporary(), 65_534, 65_534)
      expect(storeHere().read('work')).toStrictEqual({ credential, generation: 1 })
      await store.recover('work')
      await store.forget('work')
      expect([storeHere().read('work'), readFileSync(temporary(), 'utf8')]).toEqual([undefined, ''])
    },
  )

  test('is not looked for in a damaged place', async () => {
    const credential = sampleCredential()
    await save(credential)
    writeFileSync(rescue(), 'damaged', { mode: 0o600 })
    await store.recover('work')
    expect(storeHere().read('work')).toStrictEqual({ credential, generation: 1 })
    expect(readFileSync(rescue(), 'utf8')).toBe('damaged')
  })
})

describe('on a full disk', { timeout: 30_000 }, () => {
  let program: StoreProgram

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  test('a login is refused before anything is asked of the provider, and nothing of it stays', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const saver = await program.start({ mounts: `mount -t tmpfs -o size=48k,mode=700 none ${root}` })
    const answer = await saver.ask({ kind: 'save', root, profile: 'work', credential: sampleCredential() })
    expect(answer).toEqual({
      thrown: {
        code: 'store_unwritable',
        exitCode: 7,
        message: `${path} cannot be written: the disk is full (ENOSPC).`,
        nextStep: 'free the disk or mend the permissions, and try again',
      },
    })
    expect(await saver.ask({ kind: 'files', path: root })).toEqual({ result: ['key'] })
  })
})
