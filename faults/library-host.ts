import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programAt, type Program } from './program.ts'
import type { Stage } from './scenario.ts'
import { pathToFileURL } from 'node:url'

/** A program of somebody's that asks the library for a token, many times at once, and prints it. SIGUSR2 makes it call `process.exit`. */
export function libraryHost(stage: Stage): Program {
  const path = join(stage.root, 'library-host.mjs')
  const library = join(dirname(stage.program.path), '..', 'dist', 'index.js')
  writeFileSync(path, sourceWith(pathToFileURL(library).href))
  const host = programAt(path)
  stage.atEnd(host.close)
  return host
}

function sourceWith(library: string): string {
  return `import { accessToken, AuthError } from ${JSON.stringify(library)}
// As a program does that has had enough.
process.on('SIGUSR2', () => process.exit(9))
try {
  const tokens = await Promise.all(Array.from({ length: 20 }, () => accessToken()))
  console.log([...new Set(tokens.map(({ accessToken: token }) => token))].join('\\n'))
} catch (error) {
  if (!(error instanceof AuthError)) throw error
  console.error(error.message)
  process.exitCode = error.code === 'refresh_refused' ? 4 : 5
}
`
}
