import {
  cpSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PROGRAM } from '../test/support/cli.ts'
import { programAt } from './program.ts'
import { randomFrom } from './random.ts'
import type { Stage } from './scenario.ts'

/** The folder of the package. */
export const PACKAGE = join(dirname(PROGRAM), '..')

export interface StageOptions {
  readonly seed: number
  readonly short: boolean
  readonly progress?: Stage['progress']
}

/** Opens the stage. However this process ends, it leaves no process, no mounted disk and no file behind. */
export function openStage({ seed, short, progress = () => undefined }: StageOptions): Stage {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'codex-auth-faults-'))
  // Some faults need another user than the administrator, who has to get at the program.
  chmodSync(root, 0o711)
  const undoing = new Set<() => void>()
  const atEnd = (undo: () => void): (() => void) => {
    undoing.add(undo)
    return () => void undoing.delete(undo)
  }
  const close = (): void => {
    for (const undo of [...undoing].toReversed()) undo()
    undoing.clear()
    process.off('exit', close)
  }
  process.once('exit', close)
  atEnd(() => rmSync(root, { recursive: true, force: true, maxRetries: 10 }))
  atEnd(useTemporaryFolder(join(root, 'tmp')))
  const program = programAt(copyOfProgram(root))
  atEnd(program.close)
  return {
    root,
    program,
    random: randomFrom(seed),
    short,
    width: availableParallelism(),
    wide: 2 * availableParallelism(),
    progress,
    close,
    atEnd,
  }
}

/** For this process and all that it starts: answers that find no other place are kept there. Returns what takes it back. */
function useTemporaryFolder(path: string): () => void {
  const { TMPDIR } = process.env
  mkdirSync(path)
  chmodSync(path, 0o1777)
  process.env['TMPDIR'] = path
  return () => {
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  }
}

/** What is built meanwhile must not change what is tried. */
function copyOfProgram(root: string): string {
  if (!existsSync(join(PACKAGE, 'dist'))) throw new Error('there is no dist/: run `npm run build` first')
  const copy = join(root, 'program')
  mkdirSync(copy)
  for (const name of ['package.json', 'bin', 'dist'])
    cpSync(join(PACKAGE, name), join(copy, name), { recursive: true })
  // The library leaves its packages to whoever installs it.
  symlinkSync(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'), 'junction')
  return join(copy, 'bin', 'codex-auth.js')
}
