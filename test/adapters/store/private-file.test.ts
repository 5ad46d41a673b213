import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readPrivateFile } from '../../../src/adapters/store/private-file.ts'
import { buildStoreProgram, WITHOUT_ROOT, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { thrown } from '../../support/thrown.ts'

const NOBODY = 65_534

let folder: string
let path: string

beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'key')
})

function write(content: string, mode = 0o600): void {
  writeFileSync(path, content)
  chmodSync(path, mode)
}

function insecure(message: string, nextStep: string) {
  return { code: 'store_insecure', exitCode: 6, message, nextStep }
}

function corrupt(message: string) {
  return { code: 'store_corrupt', exitCode: 6, message, nextStep: 'codex-auth login' }
}

describe('a private file', () => {
  test('is read whole', () => {
    write('0123456789')
    expect(readPrivateFile(path, 10)?.toString()).toBe('0123456789')
  })

  test('may be empty', () => {
    write('')
    expect(readPrivateFile(path, 10)).toEqual(Buffer.alloc(0))
  })

  test('may be one that its owner cannot write', () => {
    write('text', 0o400)
    expect(readPrivateFile(path, 10)?.toString()).toBe('text')
  })

  test('may have a second name', () => {
    write('text')
    linkSync(path, join(folder, 'backup'))
    expect(readPrivateFile(path, 10)?.toString()).toBe('text')
  })

  test('that is not there is none', () => {
    expect(readPrivateFile(path, 10)).toBeUndefined()
  })

  test('in a folder that is not there is none', () => {
    expect(readPrivateFile(join(folder, 'profiles', 'work.cred'), 10)).toBeUndefined()
  })

  test('is refused when it is larger than it can be', () => {
    write('0123456789-')
    expect(thrown(() => readPrivateFile(path, 10))).toEqual(
      corrupt(`${path} is larger than anything this program writes.`),
    )
  })

  test.each(['604', '640', '610', '601', '620', '602', '644', '666', '777', '660'])(
    'is refused when its mode is %s',
    (mode) => {
      write('text', Number.parseInt(mode, 8))
      const refusal = insecure(`${path} is open to other users (mode ${mode}).`, `chmod 600 ${path}`)
      expect(thrown(() => readPrivateFile(path, 10))).toEqual(refusal)

      execFileSync('sh', ['-c', refusal.nextStep])
      expect(readPrivateFile(path, 10)?.toString()).toBe('text')
    },
  )

  test.each(["it's here", 'a $HOME b', 'a;b', 'ö'])('is mended as told in a folder called %j', (name) => {
    mkdirSync(join(folder, name))
    path = join(folder, name, 'key')
    write('text', 0o644)
    const { nextStep } = thrown(() => readPrivateFile(path, 10))
    execFileSync('sh', ['-c', nextStep])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is refused when it belongs to another user', (context) => {
    context.skip(WITHOUT_ROOT !== undefined, WITHOUT_ROOT)
    write('text')
    chownSync(path, NOBODY, NOBODY)
    const refusal = insecure(`${path} belongs to another user (uid ${NOBODY}).`, `sudo chown 0 ${path}`)
    expect(thrown(() => readPrivateFile(path, 10))).toEqual(refusal)
  })
})

describe('what is not a file', () => {
  test('but a symbolic link is not followed', () => {
    writeFileSync(join(folder, 'elsewhere'), 'text', { mode: 0o600 })
    symlinkSync(join(folder, 'elsewhere'), path)
    expect(thrown(() => readPrivateFile(path, 10))).toEqual(
      insecure(
        `${path} is a symbolic link, which is not followed.`,
        `mv -f "$(readlink -f ${path})" ${path}    # puts the file itself there`,
      ),
    )
  })

  test('but a symbolic link to nothing is no missing file', () => {
    symlinkSync(join(folder, 'nowhere'), path)
    expect(thrown(() => readPrivateFile(path, 10)).message).toBe(
      `${path} is a symbolic link, which is not followed.`,
    )
  })

  test('but a folder is refused', () => {
    mkdirSync(path, { mode: 0o700 })
    expect(thrown(() => readPrivateFile(path, 10))).toEqual(corrupt(`${path} is not a regular file.`))
  })

  test('but a device is refused', () => {
    expect(thrown(() => readPrivateFile('/dev/zero', 10))).toEqual(
      corrupt('/dev/zero is not a regular file.'),
    )
  })

  test('but a socket is refused', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    try {
      expect(thrown(() => readPrivateFile(path, 10))).toEqual(
        insecure(`${path} cannot be read (ENXIO).`, `ls -l ${path}    # it must be a file that you own`),
      )
    } finally {
      server.close()
    }
  })

  test('but below a file is refused', () => {
    write('text')
    expect(thrown(() => readPrivateFile(join(path, 'key'), 10))).toEqual(
      insecure(
        `${path}/key cannot be read (ENOTDIR).`,
        `ls -l ${path}/key    # it must be a file that you own`,
      ),
    )
  })
})

const refusal = () =>
  insecure(`${path} cannot be read (EACCES).`, `ls -l ${path}    # it must be a file that you own`)

describe('as a user who is not root', { timeout: 30_000 }, () => {
  let program: StoreProgram
  /** `undefined`: the one who runs the tests. */
  const uid = process.getuid?.() === 0 ? NOBODY : undefined

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  function handOver(): void {
    if (uid === undefined) return
    chownSync(folder, uid, uid)
    chownSync(path, uid, uid)
  }

  async function read() {
    const reader = await program.start(uid === undefined ? {} : { uid })
    return reader.ask({ kind: 'read private file', path })
  }

  test('an own file is read', async () => {
    write('text')
    handOver()
    expect(await read()).toEqual({ result: 'text' })
  })

  test('a file that even its owner may not read is refused', async () => {
    write('text', 0o000)
    handOver()
    expect(await read()).toEqual({ thrown: refusal() })
  })

  test('a file in a folder that may not be entered is not taken for a missing one', async () => {
    write('text')
    handOver()
    chmodSync(folder, 0o000)
    const answer = await read()
    chmodSync(folder, 0o700)
    expect(answer).toEqual({ thrown: refusal() })
  })

  test('a missing file in a folder that may not be entered is not taken for a missing one', async () => {
    write('text')
    handOver()
    rmSync(path)
    chmodSync(folder, 0o000)
    const answer = await read()
    chmodSync(folder, 0o700)
    expect(answer).toEqual({ thrown: refusal() })
  })

  test('a FIFO that nobody writes to is refused at once', async () => {
    execFileSync('mkfifo', ['-m', '600', path])
    handOver()
    expect(await read()).toEqual({ thrown: corrupt(`${path} is not a regular file.`) })
  })
})
