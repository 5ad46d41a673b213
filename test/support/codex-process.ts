import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temp-folder.ts'

/** A process that the system knows as Codex and that does nothing, until it is ended, at the latest with the test. */
export async function idleCodex(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly pid: number; end(): Promise<void> }> {
  const program = join(temporaryFolder(), 'codex')
  copyFileSync('/bin/sleep', program)
  const child = spawn(program, ['60'], { env, stdio: 'ignore' })
  await once(child, 'spawn')
  const ended = once(child, 'exit')
  const end = async (): Promise<void> => {
    child.kill()
    await ended
  }
  onTestFinished(end)
  return { pid: Number(child.pid), end }
}
