import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from '../../support/temp-folder.ts'

/** A program named `server.cjs` that listens there on some port until the test ends. */
export async function listeningChild(host: string): Promise<{ pid: number; port: number }> {
  const path = join(temporaryFolder(), 'server.cjs')
  writeFileSync(
    path,
    `const server = require('node:net').createServer()
     server.listen(0, ${JSON.stringify(host)}, () => console.log(server.address().port))`,
  )
  const child = spawn(process.execPath, [path, '--secret'], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return { pid: child.pid ?? 0, port: Number(port.toString()) }
}
