import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What a program prints. Rejects when it fails, is not there, or the signal comes first, which also ends it. */
export async function run(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    signal,
    killSignal: 'SIGKILL',
    encoding: 'latin1',
    windowsHide: true,
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}
