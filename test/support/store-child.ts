import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOnce, replaceFile, stageFile } from '../../src/adapters/store/durable-file.ts'
import { machineId } from '../../src/adapters/store/machine-id.ts'
import { readPrivateFile } from '../../src/adapters/store/private-file.ts'
import { profileStore } from '../../src/adapters/store/profile-store.ts'
import { readSealedFile } from '../../src/adapters/store/sealed-file.ts'
import { signInMarkers } from '../../src/adapters/store/sign-in-marker.ts'
import type { Announcement, HeldCredential } from '../../src/core/ports.ts'
import { beforeFileOperations } from './file-operations.ts'
import type { StoreAnswer, StoreOrder, StoreResult } from './store-program.ts'
import { described } from './thrown.ts'

type Order<K> = Extract<StoreOrder, { readonly kind: K }>
type Performance = {
  readonly [K in StoreOrder['kind']]: (order: Order<K>) => StoreResult | Promise<StoreResult>
}

const PERFORMANCE: Performance = {
  read: ({ root, profile }) => readSealedFile(root, profile),
  save: (order) => exclusively(order, (held) => dyingAt(order.dieAt, () => held.save(order.credential))),
  'die spending': (order) =>
    exclusively(order, (held) => {
      held.recordSpending(order.refreshToken)
      process.kill(process.pid, 'SIGKILL')
      return undefined
    }),
  'read private file': ({ path }) => readPrivateFile(path, 4096)?.toString(),
  replace: ({ dieAt, path, content }) =>
    done(() => dyingAt(dieAt, () => replaceFile(path, Buffer.from(content)))),
  stage: ({ path, size }) => stageFile(path, size).path,
  'create once': ({ path, content }) => {
    createOnce(path, () => Buffer.from(content))
    return readFileSync(path, 'utf8')
  },
  'sign in': ({ root, profile, port }) =>
    done(() => {
      signIn = signInMarkers(root, () => 1_790_000_000.5).begin(profile, 'browser', port)
    }),
  'end of sign in': () => done(() => signIn?.end()),
  'taken over': async () => {
    const { takenOver } = signIn ?? { takenOver: AbortSignal.abort() }
    if (!takenOver.aborted) await once(takenOver, 'abort')
    return described(takenOver.reason).message
  },
  'sign-in now': ({ root, profile }) => signInMarkers(root, Date.now).current(profile),
  'machine id': () => machineId(),
  files: ({ path }) =>
    readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
      lstatSync(join(path, name)).isFile(),
    ),
  'make read-only': ({ path }) => done(() => execFileSync('mount', ['-o', 'remount,bind,ro', path])),
}

let signIn: Announcement | undefined

function done(work: () => unknown): undefined {
  work()
  return undefined
}

function exclusively<T>(
  { root, profile }: { root: string; profile: string },
  work: (held: HeldCredential) => T,
): Promise<T> {
  const store = profileStore({ root, lockWait: 30, interruption: new AbortController().signal })
  return store.exclusively(profile, { work: async (held) => work(held) })
}

function dyingAt<T>(dieAt: StoreOrder['dieAt'], work: () => T): T {
  if (dieAt === undefined) return work()
  let step = 0
  const end = beforeFileOperations(dieAt.folder, (operation) => {
    // Opening and closing alone change nothing that another process could see.
    if (operation === 'openSync' || operation === 'closeSync' || operation === 'readdirSync') return
    if (++step === dieAt.step) process.kill(process.pid, 'SIGKILL')
  })
  try {
    return work()
  } finally {
    end()
  }
}

async function answer(order: StoreOrder): Promise<StoreAnswer> {
  try {
    const perform = PERFORMANCE[order.kind] as (order: StoreOrder) => StoreResult | Promise<StoreResult>
    return { result: await perform(order) }
  } catch (error) {
    return { thrown: described(error) }
  }
}

process.on('message', (order: StoreOrder) => void answer(order).then((it) => process.send?.(it)))
process.send?.({ result: 'ready' } satisfies StoreAnswer)
