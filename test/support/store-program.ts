import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import type { Credential } from '../../src/core/credential.ts'
import type { SignInProgress, StoredCredential } from '../../src/core/ports.ts'
import type { Thrown } from './thrown.ts'

/** What a process does once for whoever asks it. */
export type StoreTask =
  | { readonly kind: 'read'; readonly root: string; readonly profile: string }
  | {
      readonly kind: 'save'
      readonly root: string
      readonly profile: string
      readonly credential: Credential
    }
  | {
      /** Takes the profile's lock, records that this token is being spent, and kills itself. */
      readonly kind: 'die spending'
      readonly root: string
      readonly profile: string
      readonly refreshToken: string
    }
  | { readonly kind: 'read private file'; readonly path: string }
  | { readonly kind: 'replace'; readonly path: string; readonly content: string }
  | { readonly kind: 'stage'; readonly path: string; readonly size: number }
  | { readonly kind: 'create once'; readonly path: string; readonly content: string }
  | {
      readonly kind: 'sign in'
      readonly root: string
      readonly profile: string
      readonly port: number | undefined
    }
  | { readonly kind: 'end of sign in' }
  | {
      /** Answers when another sign-in has taken the place of its own, with what a person is told. */
      readonly kind: 'taken over'
    }
  | { readonly kind: 'sign-in now'; readonly root: string; readonly profile: string }
  | { readonly kind: 'machine id' }
  | { readonly kind: 'files'; readonly path: string }
  | { readonly kind: 'make read-only'; readonly path: string }

export type StoreOrder = StoreTask & {
  /** For `save` and `replace`: it kills itself ahead of its nth change of files below this folder. */
  readonly dieAt?: { readonly folder: string; readonly step: number }
}

export type StoreResult = StoredCredential | SignInProgress | string | readonly string[] | undefined
export type StoreAnswer = { readonly result: StoreResult } | { readonly thrown: Thrown }

export interface StoreProcess {
  readonly pid: number
  /** Rejects when the process ends instead of answering. */
  ask(order: StoreOrder): Promise<StoreAnswer>
  /** Resolves when the process is gone, whichever way it went. */
  kill(): Promise<void>
}

export interface StartOptions {
  /** Another user than this one; for root only. */
  readonly uid?: number
  /** Shell commands that change what it sees of the file system, and what nobody else sees. */
  readonly mounts?: string
}

export interface StoreProgram {
  start(options?: StartOptions): Promise<StoreProcess>
  /** Ends every process it has started. */
  close(): void
}

/** Builds the program that these processes run into a folder: this Node.js need not know TypeScript. */
export async function buildStoreProgram(folder: string): Promise<StoreProgram> {
  const build = await rolldown({
    input: join(import.meta.dirname, 'store-child.ts'),
    platform: 'node',
    external: [/^node:/],
  })
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: 'child.mjs',
    chunkFileNames: '[name]-[hash].mjs',
  })
  await build.close()
  // Another user has to read the program.
  chmodSync(folder, 0o755)
  const started: ChildProcess[] = []
  return {
    start: async (options = {}) => {
      const child = startChild(join(folder, 'child.mjs'), options)
      started.push(child)
      await answerOf(child)
      return storeProcess(child)
    },
    close: () => {
      for (const child of started) child.kill('SIGKILL')
    },
  }
}

function startChild(program: string, { uid, mounts }: StartOptions): ChildProcess {
  const node = [process.execPath, program]
  const [command = '', ...args] =
    mounts === undefined ? node : [...UNSHARE, 'sh', '-ec', `${mounts}\nexec "$@"`, 'sh', ...node]
  return spawn(command, args, {
    env: {
      PATH: process.env['PATH'],
      // Another user could not write there.
      CODEX_AUTH_TEST_SECRETS: uid === undefined ? process.env['CODEX_AUTH_TEST_SECRETS'] : undefined,
    },
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Keeps what is `undefined`.
    serialization: 'advanced',
    ...(uid !== undefined && { uid, gid: uid }),
  })
}

function storeProcess(child: ChildProcess): StoreProcess {
  return {
    pid: child.pid ?? 0,
    ask: (order) => {
      const answer = answerOf(child)
      child.send(order)
      return answer
    },
    kill: async () => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await ended
    },
  }
}

function answerOf(child: ChildProcess): Promise<StoreAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process ended without an answer'))
    child.once('exit', ended)
    child.once('message', (answer: StoreAnswer) => {
      child.off('exit', ended)
      resolve(answer)
    })
  })
}

const isRoot = process.getuid?.() === 0
/** Without being root, a user namespace makes us root over mounts of our own. */
const UNSHARE = ['unshare', '--mount', ...(isRoot ? [] : ['--map-root-user'])]

/** Why a test needs more than this machine lets us do. `undefined`: it can run. */
export const WITHOUT_ROOT = isRoot ? undefined : 'only root can act as another user'
export const WITHOUT_MOUNTS = canMount() ? undefined : 'needs unshare(1) and the right to mount a tmpfs'

function canMount(): boolean {
  const [command = '', ...args] = UNSHARE
  return spawnSync(command, [...args, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
}
