import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { LOCKERS, takeLock, type Locker } from '../../../src/adapters/codex/flock.ts'
import { AuthError } from '../../../src/errors.ts'
import { lockHolder } from '../../support/codex-lock.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { rejected } from '../../support/thrown.ts'

const never = new AbortController().signal
const soon = (): number => Date.now() + 200
const late = (): number => Date.now() + 20_000

const ABSENT: Locker = { program: 'no-such-program', args: [], held: 1 }

let path: string

beforeEach(() => {
  path = join(temporaryFolder(), 'auth.lock')
})

/** Whether a process that waits for nobody gets the lock, as Codex would. */
function isFree(): boolean {
  const { status } = spawnSync('flock', ['-x', '-n', path, 'true'])
  if (status !== 0 && status !== 1) throw new Error(`flock ended with ${status}`)
  return status === 0
}

/** Not each machine has all of them. */
const PRESENT = LOCKERS.filter(({ program }) => spawnSync(program, ['--version']).error === undefined)

describe.each(PRESENT.map((locker): [string, Locker] => [locker.program, locker]))(
  'with %s',
  (_name, locker) => {
    test('the lock is ours until we give it back, although the program that took it has ended', async () => {
      const release = await takeLock(path, 0o600, { deadline: soon(), signal: never }, [locker])
      expect(isFree()).toBe(false)
      release()
      expect(isFree()).toBe(true)
    })

    test('a lock that another process holds is not had', async () => {
      await lockHolder(path)
      expect(
        await rejected(takeLock(path, 0o600, { deadline: soon(), signal: never }, [locker])),
      ).toMatchObject({ code: 'store_busy' })
    })
  },
)

test('the lock is had once the other process has let it go', async () => {
  const other = await lockHolder(path)
  const lock = takeLock(path, 0o600, { deadline: late(), signal: never })
  other.release()
  const release = await lock
  expect(isFree()).toBe(false)
  release()
})

test('a lock that is not had in time leads to the one who holds it', async () => {
  await lockHolder(path)
  expect(await rejected(takeLock(path, 0o600, { deadline: soon(), signal: never }))).toEqual({
    code: 'store_busy',
    exitCode: 7,
    message: `Codex is changing its login, and holds ${path}.`,
    nextStep: 'wait for Codex, or end it, and try again',
  })
})

test('a signal ends the wait', async () => {
  await lockHolder(path)
  const interruption = new AbortController()
  const lock = takeLock(path, 0o600, { deadline: late(), signal: interruption.signal })
  interruption.abort(new AuthError('interrupted', 'Interrupted.'))
  expect(await rejected(lock)).toMatchObject({ code: 'interrupted' })
})

test('a program that is not there, or fails, leaves it to the next one', async () => {
  const release = await takeLock(path, 0o600, { deadline: soon(), signal: never }, [
    ABSENT,
    { program: 'sh', args: ['-c', 'exit 70'], held: 1 },
    ...LOCKERS,
  ])
  expect(isFree()).toBe(false)
  release()
})

test('without any such program, it says what to install', async () => {
  const lock = takeLock(path, 0o600, { deadline: soon(), signal: never }, [ABSENT])
  expect(await rejected(lock)).toEqual({
    code: 'store_unwritable',
    exitCode: 7,
    message: `Codex's lock ${path} cannot be taken on this machine.`,
    nextStep: 'install flock (util-linux), Perl or Python 3; Windows has no such lock',
  })
})

test('the lock file is made as Codex makes it, and left', async () => {
  const release = await takeLock(path, 0o600, { deadline: soon(), signal: never })
  release()
  expect(statSync(path)).toMatchObject({ size: 0 })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
