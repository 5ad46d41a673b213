import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, it, onTestFinished } from 'vitest'
import { serve } from './servers.ts'

const PROGRAM = `
import { request } from ${JSON.stringify(fileURLToPath(new URL('../../../src/adapters/provider/http.ts', import.meta.url)))}
const { body } = await request(process.argv[2], { method: 'GET', headers: { connection: 'keep-alive' } })
const answered = performance.now()
process.on('exit', () => console.log(JSON.stringify({ body, lingered: performance.now() - answered })))
`

/** The program as a file that Node.js can run. */
async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'codex-auth-http-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const input = join(folder, 'program.ts')
  await writeFile(input, PROGRAM)
  const bundle = await rolldown({ input, platform: 'node' })
  await bundle.write({ dir: folder, entryFileNames: 'program.mjs' })
  await bundle.close()
  return join(folder, 'program.mjs')
}

it('a process is over as soon as it has its answer, although the server would keep the connection', async () => {
  const program = await build()
  const { origin } = await serve((_, response) => {
    response
      .writeHead(200, { connection: 'keep-alive', 'keep-alive': 'timeout=60', 'content-length': 2 })
      .end('{}')
  })
  const child = spawn(process.execPath, [program, origin], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(code).toBe(0)
  expect(JSON.parse(output)).toEqual({ body: '{}', lingered: expect.any(Number) })
  expect(Reflect.get(JSON.parse(output), 'lingered')).toBeLessThan(5000)
}, 30_000)
