import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { profileStore } from '../../../src/adapters/store/profile-store.ts'
import type { Credential } from '../../../src/core/credential.ts'
import type { CredentialStore, HeldCredential, StoredCredential } from '../../../src/core/ports.ts'
import { AuthError } from '../../../src/errors.ts'
import { freshSecret, sampleCredential } from '../../support/credentials.ts'
import { buildStoreProgram, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { rejected, thrown } from '../../support/thrown.ts'

let root: string
let folder: string
let store: CredentialStore

beforeEach(() => {
  root = temporaryFolder()
  folder = join(root, 'profiles')
  store = storeIn(root)
})

function storeIn(home: string, interruption = new AbortController().signal): CredentialStore {
  return profileStore({ root: home, lockWait: 30, interruption })
}

function save(credential: Credential, profile = 'work', into = store): Promise<StoredCredential> {
  return into.exclusively(profile, { work: async (held) => held.save(credential) })
}

function logOut(profile = 'work'): Promise<void> {
  return store.exclusively(profile, { work: async (held) => held.remove() })
}

const fileOf = (name: string): string => join(folder, name)

describe('a store', () => {
  test('has nothing and writes nothing before the first login', () => {
    const home = join(root, 'new')
    const empty = storeIn(home)
    expect([empty.read('work'), empty.profiles(), empty.describe('work')]).toEqual([
      undefined,
      [],
      { path: join(home, 'profiles', 'work.cred'), keySource: 'file' },
    ])
    expect(readdirSync(root)).toEqual([])
  })

  test('gives back what was saved, to this process and to others', async () => {
    const credential = sampleCredential()
    const stored = { credential, generation: 1 }
    expect(await save(credential)).toStrictEqual(stored)
    expect([store.read('work'), storeIn(root).read('work')]).toStrictEqual([stored, stored])
    expect(store.read('home')).toBeUndefined()
  })

  test('holds nothing but sealed files for their owner alone, and the key', async () => {
    await save(sampleCredential())
    const modes = ['key', 'profiles', 'profiles/work.cred', 'profiles/work.generation'].map((name) => [
      name,
      (statSync(join(root, name)).mode & 0o777).toString(8),
    ])
    expect(modes).toEqual([
      ['key', '600'],
      ['profiles', '700'],
      ['profiles/work.cred', '600'],
      ['profiles/work.generation', '600'],
    ])
    expect([readdirSync(root).toSorted(), readdirSync(folder).toSorted()]).toEqual([
      ['key', 'profiles'],
      ['work.cred', 'work.generation'],
    ])
  })

  test('numbers every write, and goes on after a logout', async () => {
    await save(sampleCredential())
    await save(sampleCredential())
    await logOut()
    expect(store.read('work')).toBeUndefined()
    const credential = sampleCredential()
    expect(await save(credential)).toStrictEqual({ credential, generation: 3 })
  })

  test('sees what another one wrote since', async () => {
    const other = storeIn(root)
    for (let generation = 1; generation <= 5; generation++) {
      const credential = sampleCredential()
      await save(credential)
      expect([other.read('work'), other.read('work')]).toStrictEqual([
        { credential, generation },
        { credential, generation },
      ])
    }
    await logOut()
    expect(other.read('work')).toBeUndefined()
  })

  test('notices an older copy that is put back, after a refresh and after a logout', async () => {
    await save(sampleCredential())
    copyFileSync(fileOf('work.cred'), join(root, 'copy'))
    await save(sampleCredential())
    copyFileSync(join(root, 'copy'), fileOf('work.cred'))
    const message =
      'The stored credential is an older copy (write 1; the last was 2). Its refresh token has been spent.'
    const refusal = { code: 'store_rolled_back', exitCode: 6, message, nextStep: 'codex-auth login' }
    expect(thrown(() => store.read('work'))).toEqual(refusal)

    await save(sampleCredential())
    await logOut()
    copyFileSync(join(root, 'copy'), fileOf('work.cred'))
    expect(thrown(() => store.read('work')).message).toBe(message.replace('was 2', 'was 3'))
  })

  test('lists what is stored, readable or not, and nothing else', async () => {
    for (const profile of ['work', 'Home', 'a.cred']) await save(sampleCredential(), profile)
    writeFileSync(fileOf('broken.cred'), 'not sealed')
    for (const name of [
      '.hidden.cred',
      '.work.cred.0123456789ab.tmp',
      'no name.cred',
      'x.generation',
      '.cred',
    ]) {
      writeFileSync(fileOf(name), '')
    }
    expect(store.profiles()).toEqual(['Home', 'a.cred', 'broken', 'work'])
  })

  test('cannot list a folder that is none', () => {
    writeFileSync(folder, '')
    expect(thrown(() => store.profiles())).toEqual({
      code: 'store_insecure',
      exitCode: 6,
      message: `${folder} cannot be listed (ENOTDIR).`,
      nextStep: `ls -ld ${folder}    # it must be a folder that you own`,
    })
  })

  test('is not written to after a signal', async () => {
    const controller = new AbortController()
    controller.abort(new AuthError('interrupted', 'Interrupted.'))
    const stopped = storeIn(root, controller.signal)
    expect((await rejected(save(sampleCredential(), 'work', stopped))).code).toBe('interrupted')
    expect(readdirSync(folder)).toEqual([])
  })
})

function contentOf(name: string): string | string[] {
  return statSync(fileOf(name)).isDirectory() ? readdirSync(fileOf(name)) : readFileSync(fileOf(name), 'hex')
}

describe('what is stored and cannot be read', () => {
  const damages: [string, (path: string) => void][] = [
    ['damaged', (path) => writeFileSync(path, 'not sealed')],
    ['open to others', (path) => chmodSync(path, 0o644)],
    ['of a newer version', (path) => writeFileSync(path, 'codex-auth-credential/2 {}\n')],
    ['sealed with a key that was lost', (path) => rmSync(join(path, '../../key'))],
    ['sealed with another key', (path) => writeFileSync(join(path, '../../key'), randomBytes(32))],
    [
      'a folder',
      (path) => {
        rmSync(path)
        mkdirSync(path)
      },
    ],
  ]

  test.each(damages)(
    'because it is %s is set aside by the next login, not overwritten',
    async (_what, damage) => {
      await save(sampleCredential())
      damage(fileOf('work.cred'))
      const before = contentOf('work.cred')

      const credential = sampleCredential()
      expect(await save(credential, 'work', storeIn(root))).toStrictEqual({ credential, generation: 2 })
      expect(storeIn(root).read('work')).toStrictEqual({ credential, generation: 2 })
      const aside = readdirSync(folder).filter((name) => name.startsWith('work.cred.damaged-'))
      expect([aside.length, contentOf(aside[0] ?? '')]).toEqual([1, before])
    },
  )

  test.each(damages)('because it is %s is removed by a logout', async (_what, damage) => {
    await save(sampleCredential())
    damage(fileOf('work.cred'))
    await store.forget('work')
    expect([store.read('work'), readdirSync(folder)]).toEqual([undefined, []])
  })
})

describe('forgetting a profile', () => {
  test('removes every file of it, and none of another one', async () => {
    await save(sampleCredential(), 'a')
    await save(sampleCredential(), 'a.cred')
    await save(sampleCredential(), 'a.cred.damaged-2026')
    const others = readdirSync(folder).filter((name) => name.startsWith('a.cred.'))
    for (const name of [
      'a.login',
      'a.cred.rescue',
      'a.cred.damaged-2026-11-22T10-00-00-000Z',
      '.a.cred.0123456789ab.tmp',
      '.a.generation.0123456789ab.tmp',
    ]) {
      writeFileSync(fileOf(name), 'left over')
    }
    const strangers = [
      'a.txt',
      'a_cred',
      '.a.cred.swp',
      'b.login',
      '.b.cred.0123456789ab.tmp',
      '.a.cred.cred.0123456789ab.tmp',
    ]
    for (const name of strangers) writeFileSync(fileOf(name), '')

    await store.forget('a')
    expect(readdirSync(folder).toSorted()).toEqual([...others, ...strangers].toSorted())
    expect([store.read('a'), store.read('a.cred')?.generation]).toEqual([undefined, 1])
  })

  test('that was never there is no failure', async () => {
    await store.forget('work')
    expect(store.profiles()).toEqual([])
  })
})

describe('many processes', { timeout: 60_000 }, () => {
  let program: StoreProgram

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  test('that make the first login at the same time all succeed, one after the other, with one key', async () => {
    const processes = await Promise.all(Array.from({ length: 6 }, () => program.start()))
    const credentials = processes.map(() => sampleCredential())
    const answers = await Promise.all(
      processes.map((it, at) =>
        it.ask({ kind: 'save', root, profile: 'work', credential: credentials[at] ?? sampleCredential() }),
      ),
    )
    const stored = answers.map((answer) =>
      'result' in answer ? (answer.result as StoredCredential) : answer,
    )
    const generations = stored.map((it) => ('generation' in it ? it.generation : it))
    expect(generations.toSorted((one, other) => Number(one) - Number(other))).toEqual([1, 2, 3, 4, 5, 6])
    expect(store.read('work')).toEqual(stored[generations.indexOf(6)])
    expect([readdirSync(root).toSorted(), readdirSync(folder).toSorted()]).toEqual([
      ['key', 'profiles'],
      ['work.cred', 'work.generation'],
    ])
  })

  test('one of which is killed at any step of a save leave the old credential or the new one', async () => {
    const [old, fresh, next] = [sampleCredential(), sampleCredential(), sampleCredential()]
    await save(old)
    const found: (string | undefined)[] = []
    for (let step = 1, isDone = false; !isDone && step < 100; step += 4) {
      const outcomes = await Promise.all([0, 1, 2, 3].map((more) => outcomeOf(step + more)))
      found.push(...outcomes.map(({ token }) => token))
      isDone = outcomes.every(({ wasKilled }) => !wasKilled)
    }
    const change = found.indexOf(fresh.accessToken)
    expect(change).toBeGreaterThan(6)
    expect(found).toEqual([
      ...found.slice(0, change).map(() => old.accessToken),
      ...found.slice(change).map(() => fresh.accessToken),
    ])

    async function outcomeOf(step: number) {
      const home = join(temporaryFolder(), 'home')
      cpSync(root, home, { recursive: true })
      const saver = await program.start()
      const order = { kind: 'save', root: home, profile: 'work', credential: fresh } as const
      const wasKilled = await saver.ask({ ...order, dieAt: { folder: home, step } }).then(
        () => false,
        () => true,
      )
      await saver.kill()
      const left = storeIn(home)
      const token = left.read('work')?.credential.accessToken
      // Whatever the dead one left in the way, the next login is saved, and tidies up.
      const after = await save(next, 'work', left)
      expect(storeIn(home).read('work')).toStrictEqual({ ...after, credential: next })
      expect(readdirSync(join(home, 'profiles')).filter((name) => name.startsWith('.work.cred.'))).toEqual([])
      return { wasKilled, token }
    }
  })

  test('know of a refresh token that one of them was spending when it was killed', async () => {
    const [spent, other] = [sampleCredential().refreshToken ?? '', sampleCredential().refreshToken ?? '']
    const dying = await program.start()
    await expect(
      dying.ask({ kind: 'die spending', root, profile: 'work', refreshToken: spent }),
    ).rejects.toThrow('the process ended without an answer')

    const before = await store.exclusively('work', {
      work: async (held) => [held.spentBefore(spent), held.spentBefore(other)],
    })
    expect(before).toEqual([
      { pid: dying.pid, since: expect.closeTo(Date.now() / 1000, -2) as number },
      undefined,
    ])
    // It is told once: whoever held the lock has seen it.
    const later = await store.exclusively('work', { work: async (held) => held.spentBefore(spent) })
    expect(later).toBeUndefined()
  })

  const REFUSAL = { reason: 'reused', at: 1_800_000_000 } as const
  test.each([
    ['is refused', { refusal: REFUSAL }],
    ['is renewed and stays', { refreshedAt: Math.ceil(Date.now() / 1000) + 3600 }],
    ['is replaced', { refreshToken: sampleCredential().refreshToken }],
  ])('know of it until that token %s', async (_, changes) => {
    const credential = sampleCredential()
    const spent = credential.refreshToken ?? ''
    await save(credential, 'work')
    const dying = await program.start()
    await expect(
      dying.ask({ kind: 'die spending', root, profile: 'work', refreshToken: spent }),
    ).rejects.toThrow('the process ended without an answer')
    const asked = async (change: (held: HeldCredential) => unknown = () => {}): Promise<unknown> =>
      store.exclusively('work', {
        work: async (held) => {
          const { pid } = held.spentBefore(spent) ?? {}
          change(held)
          return pid
        },
      })

    // The network failed, an API key was kept: nobody knows yet what has become of it.
    expect([
      await asked(),
      await asked((held) => held.save({ ...credential, mintedApiKey: freshSecret('api_key') })),
    ]).toEqual([dying.pid, dying.pid])
    expect(await asked((held) => held.save({ ...credential, ...changes }))).toBe(dying.pid)
    expect(await asked()).toBeUndefined()
    expect(readdirSync(join(root, 'profiles')).filter((name) => name.endsWith('.died'))).toEqual([])
  })
})
