import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { ownerFromLsof } from '../../src/adapters/port-owner/macos.ts'
import { portOwner } from '../../src/adapters/port-owner.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { listeningChild } from './port-owner/listening-child.ts'

test.for(['127.0.0.1', '::1', '0.0.0.0'])(
  'a process that listens on %s is named',
  { timeout: 20_000 },
  async (host, context) => {
    context.skip(process.platform !== 'linux', 'what it is named depends on the system')
    const { pid, port } = await listeningChild(host)
    // A machine that has too much to do may not tell in time.
    await expect.poll(() => portOwner(port), { timeout: 10_000 }).toEqual({ pid, command: 'node server.cjs' })
  },
)

test('a port on which nobody listens any more is nobody’s', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  expect(await portOwner(port)).toBeUndefined()
})

test('a system that is asked in vain is not waited for, and what was asked ends', async () => {
  const folder = temporaryFolder()
  const [lsof, pid] = [join(folder, 'lsof'), join(folder, 'pid')]
  writeFileSync(lsof, `#!/bin/sh\necho $$ >${pid}\nexec sleep 20\n`)
  chmodSync(lsof, 0o700)
  const asked = performance.now()
  expect(await portOwner(1455, (port, signal) => ownerFromLsof(port, signal, lsof))).toBeUndefined()
  expect(performance.now() - asked).toBeLessThan(5000)
  await vi.waitUntil(() => !existsSync(pid) || !isAlive(Number(readFileSync(pid, 'utf8'))))
})

test.each([
  [
    'has no program for it',
    (port: number, signal: AbortSignal) => ownerFromLsof(port, signal, '/nowhere/lsof'),
  ],
  ['fails', () => Promise.reject(new Error('not today'))],
  ['is not known', undefined],
])('a system that %s says nothing', async (_what, find) => {
  expect(await portOwner(1, find)).toBeUndefined()
})

function isAlive(pid: number): boolean {
  if (process.platform === 'linux') return existsSync(`/proc/${pid}`)
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
