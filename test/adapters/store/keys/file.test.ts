import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadFileKey, loadOrCreateFileKey } from '../../../../src/adapters/store/keys/file.ts'
import { recordSecret } from '../../../support/secrets.ts'
import { temporaryFolder } from '../../../support/temp-folder.ts'
import { everythingIn, thrown } from '../../../support/thrown.ts'

let root: string
let path: string

beforeEach(() => {
  root = temporaryFolder()
  path = join(root, 'key')
})

/** What a key seals with, bound to this machine and not. */
function keysIn(folder: string): string[] {
  const key = loadFileKey(folder)
  return [key.keyId, key.sealingKey(true).toString('hex'), key.sealingKey(false).toString('hex')]
}

describe('a key file', () => {
  test('is made when there is none, for its owner alone', () => {
    const home = join(root, 'new', 'home')
    loadOrCreateFileKey(home)
    expect([
      readdirSync(home),
      statSync(join(home, 'key')).mode & 0o777,
      statSync(home).mode & 0o777,
    ]).toEqual([['key'], 0o600, 0o700])
    expect(readFileSync(join(home, 'key')).length).toBe(32)
  })

  test('stays when it is there', () => {
    loadOrCreateFileKey(root)
    const [before, keys] = [readFileSync(path), keysIn(root)]
    loadOrCreateFileKey(root)
    expect([readFileSync(path), keysIn(root)]).toEqual([before, keys])
  })

  test('is another one in every folder', () => {
    const keys = Array.from({ length: 20 }, (_, number) => {
      const home = join(root, String(number))
      loadOrCreateFileKey(home)
      return keysIn(home)
    })
    expect(new Set(keys.flat()).size).toBe(bindsHere() ? 60 : 40)
  })

  test('seals with 32 bytes that are neither its own nor its name', () => {
    loadOrCreateFileKey(root)
    const secret = readFileSync(path).toString('hex')
    recordSecret(secret)
    const key = loadFileKey(root)
    expect(key.keyId).toMatch(/^[0-9a-f]{16}$/)
    expect([key.sealingKey(true).length, key.sealingKey(false).length]).toEqual([32, 32])
    const said = [
      key.keyId,
      key.machine,
      key.sealingKey(true).toString('hex'),
      key.sealingKey(false).toString('hex'),
    ]
    expect(said.filter((it) => it !== undefined && (secret.includes(it) || it.includes(secret)))).toEqual([])
  })

  test('seals with another key when it is bound to the machine', (context) => {
    context.skip(!bindsHere(), 'this machine has no stable id')
    loadOrCreateFileKey(root)
    const key = loadFileKey(root)
    expect(key.sealingKey(true)).not.toEqual(key.sealingKey(false))
  })

  test('names the machine in the same way in every folder, and not by its id', (context) => {
    context.skip(!bindsHere(), 'this machine has no stable id')
    const other = join(root, 'other')
    const machines = [loadOrCreateFileKey(root).machine, loadOrCreateFileKey(other).machine]
    expect(machines).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), machines[0]])
    const files = ['/etc/machine-id'].filter((it) => existsSync(it)).map((it) => readFileSync(it, 'utf8'))
    expect(files.filter((text) => text.includes(machines[0] ?? ''))).toEqual([])
  })
})

describe('a key file that cannot be used', () => {
  test('is missing', () => {
    expect(thrown(() => loadFileKey(root))).toEqual({
      code: 'key_missing',
      exitCode: 6,
      message: `The key that opens the stored credential is gone: there is no ${path}.`,
      nextStep: 'codex-auth login',
    })
    expect(readdirSync(root)).toEqual([])
  })

  const damages: [string, () => void][] = [
    ['empty', () => writeFileSync(path, '', { mode: 0o600 })],
    ['one byte short', () => writeFileSync(path, Buffer.alloc(31, 7), { mode: 0o600 })],
    ['one byte too long', () => writeFileSync(path, Buffer.alloc(33, 7), { mode: 0o600 })],
    ['far too long', () => writeFileSync(path, Buffer.alloc(1_000_000, 7), { mode: 0o600 })],
    ['a folder', () => mkdirSync(path, { mode: 0o700 })],
  ]

  test.each(damages)('is %s, and a new sign-in helps once it is out of the way', (_what, damage) => {
    damage()
    const failures = [thrown(() => loadFileKey(root)), thrown(() => loadOrCreateFileKey(root))]
    const damaged = {
      code: 'store_corrupt',
      exitCode: 6,
      message: `The key file ${path} is damaged.`,
      nextStep: `mv ${path} ${path}.damaged && codex-auth login`,
    }
    expect(failures).toEqual([damaged, damaged])

    execFileSync('sh', ['-c', damaged.nextStep.replace('codex-auth login', 'true')])
    expect(loadOrCreateFileKey(root).sealingKey(false).length).toBe(32)
    expect(readdirSync(root).toSorted()).toEqual(['key', 'key.damaged'])
  })

  test('is open to others', () => {
    loadOrCreateFileKey(root)
    chmodSync(path, 0o644)
    const insecure = {
      code: 'store_insecure',
      exitCode: 6,
      message: `${path} is open to other users (mode 644).`,
      nextStep: `chmod 600 ${path}`,
    }
    expect([thrown(() => loadFileKey(root)), thrown(() => loadOrCreateFileKey(root))]).toEqual([
      insecure,
      insecure,
    ])
  })

  test('is a symbolic link', () => {
    loadOrCreateFileKey(join(root, 'elsewhere'))
    symlinkSync(join(root, 'elsewhere', 'key'), path)
    expect(thrown(() => loadOrCreateFileKey(root))).toEqual({
      code: 'store_insecure',
      exitCode: 6,
      message: `${path} is a symbolic link, which is not followed.`,
      nextStep: `mv -f "$(readlink -f ${path})" ${path}    # puts the file itself there`,
    })
  })

  test('is not told by its failures', () => {
    const secret = Buffer.from('0123456789abcdef0123456789abcdef!')
    writeFileSync(path, secret, { mode: 0o600 })
    let told = ''
    try {
      loadFileKey(root)
    } catch (error) {
      told = everythingIn(error)
    }
    const forms = [secret.toString(), secret.toString('hex'), secret.toString('base64')]
    expect(told).toContain('AuthError')
    expect(forms.filter((form) => told.includes(form.slice(0, 20)))).toEqual([])
  })

  test('cannot be made where there is no folder to be', () => {
    writeFileSync(path, '')
    const home = join(path, 'home')
    expect(thrown(() => loadOrCreateFileKey(home))).toEqual({
      code: 'store_unwritable',
      exitCode: 7,
      message: `${home} cannot be written: its folder is not a folder (ENOTDIR).`,
      nextStep: 'free the disk or mend the permissions, and try again',
    })
  })
})

function bindsHere(): boolean {
  return loadOrCreateFileKey(join(root, 'probe')).machine !== undefined
}
