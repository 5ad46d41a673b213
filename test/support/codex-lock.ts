import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** Another process that holds a lock in the way of Codex until it is let go, at the latest when the test is over. */
export async function lockHolder(path: string): Promise<{ release(): void }> {
  const child = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; cat >/dev/null'])
  const release = (): void => void child.stdin.end()
  onTestFinished(release)
  await once(child.stdout, 'data')
  return { release }
}
