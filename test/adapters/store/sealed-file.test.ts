import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makePrivateFolder, replaceFile } from '../../../src/adapters/store/durable-file.ts'
import { parseEnvelope, seal } from '../../../src/adapters/store/envelope.ts'
import { writeGeneration } from '../../../src/adapters/store/generation.ts'
import { loadFileKey, loadOrCreateFileKey } from '../../../src/adapters/store/keys/file.ts'
import {
  credentialPath,
  profilesFolder,
  readSealedFile,
  sealCredential,
} from '../../../src/adapters/store/sealed-file.ts'
import type { Credential } from '../../../src/core/credential.ts'
import { sampleCredential, secretsOf } from '../../support/credentials.ts'
import {
  buildStoreProgram,
  WITHOUT_MOUNTS,
  type StoreProcess,
  type StoreProgram,
} from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { everythingIn, thrown, type Thrown } from '../../support/thrown.ts'

let root: string
let path: string
let credential: Credential

beforeEach(() => {
  root = temporaryFolder()
  path = credentialPath(root, 'work')
  credential = sampleCredential()
  put('work', 7)
})

/** Puts the credential into a profile, as its nth write. */
function put(profile: string, generation: number): void {
  makePrivateFolder(profilesFolder(root))
  const sealed = sealCredential(loadOrCreateFileKey(root), profile, { credential, generation })
  replaceFile(credentialPath(root, profile), sealed)
}

function refused(code: Thrown['code'], message: string, nextStep = 'codex-auth login'): Thrown {
  return { code, exitCode: 6, message, nextStep }
}

function failure(profile = 'work'): Thrown {
  return thrown(() => readSealedFile(root, profile))
}

describe('a sealed file', () => {
  test('gives the credential and the number of its write', () => {
    expect(readSealedFile(root, 'work')).toStrictEqual({ credential, generation: 7 })
  })

  test('is none when nothing was written', () => {
    expect(readSealedFile(root, 'home')).toBeUndefined()
    expect(readSealedFile(join(root, 'elsewhere'), 'work')).toBeUndefined()
  })

  test('is one for each profile', () => {
    const work = credential
    credential = sampleCredential()
    put('home', 1)
    expect([readSealedFile(root, 'work'), readSealedFile(root, 'home')]).toStrictEqual([
      { credential: work, generation: 7 },
      { credential, generation: 1 },
    ])
  })

  test('has no secret in it that could be read', () => {
    const bytes = readFileSync(path)
    expect(secretsOf(credential).filter((secret) => bytes.includes(secret.slice(4, 20)))).toEqual([])
    expect([statSync(path).mode & 0o777, statSync(profilesFolder(root)).mode & 0o777]).toEqual([0o600, 0o700])
  })
})

describe('the number of the last write', () => {
  test('may be that of the file, or not have been written yet', () => {
    for (const generation of [7, 6, 0]) {
      writeGeneration(root, 'work', generation)
      expect(readSealedFile(root, 'work')?.generation).toBe(7)
    }
  })

  test('tells that an older copy was put back', () => {
    writeGeneration(root, 'work', 8)
    expect(failure()).toEqual(
      refused(
        'store_rolled_back',
        'The stored credential is an older copy (write 7; the last was 8). Its refresh token has been spent.',
      ),
    )
  })

  test('does not keep a credential from being read when it is damaged', () => {
    writeFileSync(join(root, 'profiles', 'work.generation'), 'x'.repeat(5000), { mode: 0o644 })
    expect(readSealedFile(root, 'work')?.generation).toBe(7)
  })
})

describe('a sealed file that cannot be used', () => {
  test('was copied from another profile', () => {
    copyFileSync(path, credentialPath(root, 'home'))
    expect(failure('home')).toEqual(
      refused(
        'store_corrupt',
        'The stored credential is a copy of the one in the profile "work". Two copies of one login end it for both.',
      ),
    )
  })

  test('was copied from a profile whose name is none, which is not repeated', () => {
    const key = loadFileKey(root)
    const header = { keySource: 'file', keyId: key.keyId, machine: key.machine, generation: 1 } as const
    const sealed = seal('{}', key.sealingKey(true), { ...header, profile: '\u001b[31m work' })
    replaceFile(path, sealed)
    expect(failure()).toEqual(
      refused(
        'store_corrupt',
        'The stored credential is a copy of the one in another profile. Two copies of one login end it for both.',
      ),
    )
  })

  test('was sealed with another key', () => {
    writeFileSync(join(root, 'key'), randomBytes(32))
    expect(failure()).toEqual(
      refused(
        'key_mismatch',
        'The stored credential was sealed with a different key than the one in use now.',
      ),
    )
  })

  test('has lost its key', () => {
    rmSync(join(root, 'key'))
    expect(failure()).toEqual(
      refused('key_missing', `The key that opens the stored credential is gone: there is no ${root}/key.`),
    )
  })

  test('has a damaged key', () => {
    truncateSync(join(root, 'key'), 16)
    expect(failure()).toEqual(
      refused(
        'store_corrupt',
        `The key file ${root}/key is damaged.`,
        `mv ${root}/key ${root}/key.damaged && codex-auth login`,
      ),
    )
  })

  test('is of a newer version, even if that one keeps its key elsewhere', () => {
    rmSync(join(root, 'key'))
    writeFileSync(path, 'codex-auth-credential/2 {}\n')
    expect(failure()).toEqual(
      refused(
        'store_newer',
        'The stored credential has format 2; this version reads up to 1.',
        'npm install -g codex-auth@latest',
      ),
    )
  })

  test('is damaged, whether or not there is a key', () => {
    writeFileSync(path, '{}')
    const damaged = refused(
      'store_corrupt',
      'The stored credential is damaged: it is not a sealed credential.',
    )
    expect(failure()).toEqual(damaged)
    rmSync(join(root, 'key'))
    expect(failure()).toEqual(damaged)
  })

  test('holds something else than a credential', () => {
    const key = loadFileKey(root)
    const { header } = parseEnvelope(readFileSync(path))
    replaceFile(path, seal('{"access_token":"x"}', key.sealingKey(header.machine !== undefined), header))
    expect(failure()).toEqual(
      refused('store_corrupt', 'The stored credential does not have the shape this version writes.'),
    )
  })

  test('is larger than any credential', () => {
    truncateSync(path, 1024 * 1024 + 1)
    expect(failure()).toEqual(
      refused('store_corrupt', `${path} is larger than anything this program writes.`),
    )
  })

  test.each(['work.cred', 'key'])('is open to others, or its key is (%s)', (name) => {
    const open = name === 'key' ? join(root, name) : path
    chmodSync(open, 0o640)
    expect(failure()).toEqual(
      refused('store_insecure', `${open} is open to other users (mode 640).`, `chmod 600 ${open}`),
    )
  })

  test('is not told by any failure, and neither is its key', () => {
    const key = readFileSync(join(root, 'key'))
    const secrets = [
      ...secretsOf(credential),
      key.toString('hex'),
      key.toString('base64'),
      key.toString('latin1'),
    ]
    const damages: (() => void)[] = [
      () => truncateSync(path, statSync(path).size - 1),
      () => writeFileSync(path, JSON.stringify(credential)),
      () => writeFileSync(join(root, 'key'), Buffer.concat([key, key])),
    ]
    for (const damage of damages) {
      damage()
      let told = ''
      try {
        readSealedFile(root, 'work')
      } catch (error) {
        told = everythingIn(error)
      }
      expect(told).toContain('store_corrupt')
      expect(secrets.filter((secret) => told.includes(secret.slice(0, 12)))).toEqual([])
      writeFileSync(join(root, 'key'), key)
      put('work', 8)
    }
  })
})

const machine = (id: string) => ({
  mounts: `mount -t tmpfs none /etc\nprintf '%s\\n' '${id}' >/etc/machine-id`,
})
const save = () => ({ kind: 'save', root, profile: 'work', credential }) as const
const read = () => ({ kind: 'read', root, profile: 'work' }) as const

async function savedBy(writer: StoreProcess, folder: string): Promise<Buffer> {
  await writer.ask({ kind: 'save', root: folder, profile: 'work', credential })
  return readFileSync(credentialPath(folder, 'work'))
}

describe('on another machine', { timeout: 30_000 }, () => {
  const OTHER = 'fedcba9876543210fedcba9876543210'
  let program: StoreProgram

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  beforeEach(() => {
    rmSync(path)
  })

  test('a copied folder is refused as exactly that', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const [one, other] = await Promise.all([
      program.start(machine(OTHER)),
      program.start(machine(`${'0'.repeat(31)}1`)),
    ])
    const result = { credential, generation: 1 }
    expect(await one.ask(save())).toEqual({ result })
    expect(await one.ask(read())).toEqual({ result })

    const copy = join(temporaryFolder(), 'copy')
    cpSync(root, copy, { recursive: true })
    expect(await other.ask({ kind: 'read', root: copy, profile: 'work' })).toEqual({
      thrown: refused(
        'foreign_machine',
        'The stored credential was written on another machine. Using a copied login would end it on both.',
      ),
    })
    // Not even a changed header gives it away: the key itself is mixed with the machine.
    const line = /"machine":"[0-9a-f]{16}"/
    const [mine, theirs] = [readFileSync(path), await savedBy(other, copy)]
    const forged = mine.toString('latin1').replace(line, line.exec(theirs.toString('latin1'))?.[0] ?? '')
    replaceFile(credentialPath(copy, 'work'), Buffer.from(forged, 'latin1'))
    rmSync(join(copy, 'profiles', 'work.generation'))
    expect(await other.ask({ kind: 'read', root: copy, profile: 'work' })).toEqual({
      thrown: refused(
        'store_corrupt',
        'The stored credential is damaged: it was changed after it was written.',
      ),
    })
  })

  test('a bound credential is refused where no machine id can be had', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const [one, none] = await Promise.all([program.start(machine(OTHER)), program.start(machine(''))])
    await one.ask(save())
    expect(await none.ask(read())).toEqual({
      thrown: refused(
        'foreign_machine',
        'The stored credential is bound to a machine by its id, and this machine does not tell one now.',
      ),
    })
  })

  test('a credential that was written without a machine id is read anywhere', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const [none, other] = await Promise.all([program.start(machine('')), program.start(machine(OTHER))])
    const result = { credential, generation: 1 }
    expect(await none.ask(save())).toEqual({ result })
    expect(parseEnvelope(readFileSync(path)).header.machine).toBeUndefined()
    expect([await none.ask(read()), await other.ask(read())]).toEqual([{ result }, { result }])
    expect(readSealedFile(root, 'work')).toEqual(result)
  })

  test('a credential that was not bound is bound by its next write', async (context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const [none, one] = await Promise.all([program.start(machine('')), program.start(machine(OTHER))])
    await none.ask(save())
    expect(await one.ask(save())).toEqual({ result: { credential, generation: 2 } })
    expect(parseEnvelope(readFileSync(path)).header.machine).toMatch(/^[0-9a-f]{16}$/)
    expect((await none.ask(read())) as object).toHaveProperty('thrown.code', 'foreign_machine')
  })
})
