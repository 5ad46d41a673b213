import { writeSync } from 'node:fs'
import { livingToken } from './living-token.ts'
import { cannotWrite } from './standard-output.ts'

/** Runs one call of `codex-auth` and resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const token = livingToken(argv, process.env, Date.now() / 1000)
  if (token === undefined) return (await import('./cli.ts')).main(argv)
  return printLine(token)
}

/** Straight to the descriptor: setting up the stream would cost the hot path as much again as all of its own work. */
function printLine(text: string): number {
  const line = Buffer.from(`${text}\n`)
  let written = 0
  try {
    while (written < line.length) written += writeSync(1, line, written)
    return 0
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code !== 'EAGAIN') {
      process.stderr.write(cannotWrite(code))
      return 1
    }
    // A pipe whose reader is slow, and that another program has set not to block: the stream waits for it.
    process.stdout.write(line.subarray(written))
    return 0
  }
}
