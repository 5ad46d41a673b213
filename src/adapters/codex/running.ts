import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LockHolder } from '../../core/ports.ts'
import { run } from '../port-owner/run.ts'
import { canonical } from './folder.ts'

/** Milliseconds. */
const LIMIT = 2000

/**
 * A process of Codex that uses this folder. `undefined`: none is known of. Elsewhere than on Linux, each one of this
 * user counts, and on Windows none is ever found.
 */
export async function runningCodex(folder: string): Promise<LockHolder | undefined> {
  const pid = await (process.platform === 'linux' ? foundInProc(canonical(folder)) : foundByPs())
  return pid === undefined ? undefined : { pid, command: 'codex', since: undefined }
}

async function foundInProc(folder: string): Promise<number | undefined> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || !isCodex((await readIfThere(`/proc/${entry}/comm`)) ?? '')) continue
    const environment = environmentIn((await readIfThere(`/proc/${entry}/environ`)) ?? '')
    const home = environment.get('CODEX_HOME') || join(environment.get('HOME') ?? '', '.codex')
    if (canonical(home) === folder) return Number(entry)
  }
  return undefined
}

/** Releases come as `codex` and with their platform in the name; this program has one that begins in the same way. */
function isCodex(command: string): boolean {
  return /^codex(?!-auth)/.test(command)
}

/** As the process was started with. */
function environmentIn(text: string): Map<string, string> {
  return new Map(text.split('\0').map((entry) => [entry.replace(/=.*$/s, ''), entry.replace(/^[^=]*=/, '')]))
}

/** Processes end while this looks, and those of others are not shown. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}

async function foundByPs(): Promise<number | undefined> {
  const user = process.geteuid?.()
  if (user === undefined) return undefined
  const list = await psOf(user)
  const line = list.split('\n').find((each) => isCodex(each.replace(/^ *\d+ +(?:.*\/)?/, '')))
  return line === undefined ? undefined : Number.parseInt(line, 10)
}

async function psOf(user: number): Promise<string> {
  try {
    return await run('ps', ['-U', String(user), '-o', 'pid=,comm='], AbortSignal.timeout(LIMIT))
  } catch {
    // It is asked for the sake of a wait, which is then left out.
    return ''
  }
}
