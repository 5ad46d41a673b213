import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Trial } from './trial.ts'

/** Something that is wrong with the files, and how it is put right. */
export interface FileFault {
  readonly kind: string
  make(trial: Trial): void
  mend(trial: Trial): void
}

interface Unusable {
  readonly fault: string
  /** What a call ends with. */
  readonly exitCode: number
  readonly kinds: readonly FileFault[]
}

const key = ({ home }: Trial): string => join(home, 'key')
const folder = ({ credentialPath }: Trial): string => dirname(credentialPath)

/** Something else in a file's place, until it is brought back. */
function instead(kind: string, which: (trial: Trial) => string, put: (path: string) => void): FileFault {
  return {
    kind,
    make: (trial) => {
      const path = which(trial)
      renameSync(path, `${path}.away`)
      put(path)
    },
    mend: (trial) => {
      const path = which(trial)
      rmSync(path, { recursive: true, force: true })
      renameSync(`${path}.away`, path)
    },
  }
}

export const UNUSABLE: readonly Unusable[] = [
  {
    fault: 'key gone, open to others, a link, cut short, a folder',
    exitCode: 6,
    kinds: [
      instead('gone', key, () => {}),
      {
        kind: 'open to others',
        make: (trial) => chmodSync(key(trial), 0o644),
        mend: (trial) => chmodSync(key(trial), 0o600),
      },
      instead('a link', key, (path) => symlinkSync(`${path}.away`, path)),
      instead('cut short', key, (path) => writeFileSync(path, Buffer.alloc(31), { mode: 0o600 })),
      instead('a folder', key, (path) => mkdirSync(path, { mode: 0o600 })),
    ],
  },
  {
    fault: 'folder of the credential is a file, or a link to itself',
    exitCode: 6,
    kinds: [
      instead('a file', folder, (path) => writeFileSync(path, '')),
      instead('a link to itself', folder, (path) => symlinkSync(path, path)),
    ],
  },
  {
    fault: 'folder of the credential gone: nobody is signed in',
    exitCode: 4,
    kinds: [instead('gone', folder, () => {})],
  },
  {
    fault: 'a file in the place of the lock',
    exitCode: 7,
    kinds: [
      {
        kind: 'a file',
        make: ({ home, lockPath }) => {
          writeFileSync(join(home, 'config.json'), '{"lock_wait":1}', { mode: 0o600 })
          writeFileSync(lockPath, '')
        },
        mend: ({ lockPath }) => rmSync(lockPath),
      },
    ],
  },
]
