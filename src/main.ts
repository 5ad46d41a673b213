import { writeSync } from 'node:fs'
import { livingToken } from './living-token.ts'

/** Runs one call of `codex-auth` and resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const token = livingToken(argv, process.env, Date.now() / 1000)
  if (token === undefined) return (await import('./cli.ts')).main(argv)
  printLine(token)
  return 0
}

/** Straight to the descriptor: setting up the stream would cost the hot path as much again as all of its own work. */
function printLine(text: string): void {
  const line = Buffer.from(`${text}\n`)
  let written = 0
  try {
    while (written < line.length) written += writeSync(1, line, written)
  } catch (error) {
    // A pipe whose reader is slow, and that another program has set not to block: the stream waits for it.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    process.stdout.write(line.subarray(written))
  }
}
