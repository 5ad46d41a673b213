import { accessSync, constants, realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import type { OwnCommand } from '../core/codex-provider.ts'

/** This program as it was started: the Node.js that runs it, and its script, both as absolute paths. */
export interface Program {
  readonly node: string
  readonly script: string
}

/** As the system tells. A link that npm has put into a folder of programs is not followed: it outlives new versions. */
export function thisProgram(): Program {
  return { node: process.execPath, script: process.argv[1] ?? '' }
}

/** How another program, without a shell, calls this one: by its script, where the system starts scripts; else by Node.js. */
export function ownCommand({ node, script }: Program): OwnCommand {
  const path = lasting(script)
  return isExecutable(path) ? { path, words: [] } : { path: node, words: [path] }
}

/** It lies where npx, dlx (pnpm, Yarn) or bunx put it for this one call, and will be gone. */
export function isTemporary({ script }: Program): boolean {
  return script.split(sep).some((name) => /^(?:_npx|dlx|dlx-.*|bunx-.*)$/.test(name))
}

/** fnm gives each shell a folder of programs of its own, a link that is gone with the shell or at the next start of the system. */
function lasting(script: string): string {
  if (!script.split(sep).includes('fnm_multishells')) return script
  try {
    return join(realpathSync(dirname(script)), basename(script))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return script
  }
}

function isExecutable(script: string): boolean {
  // Windows starts no scripts, and the batch file that npm makes there only through a shell.
  if (process.platform === 'win32') return false
  try {
    accessSync(script, constants.X_OK)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return false
  }
}
