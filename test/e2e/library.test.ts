import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { PROGRAM, runCli } from '../support/cli.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { answers } from '../support/fake-issuer.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const DIST = join(dirname(PROGRAM), '../dist')
const EXPIRED = { expiresAt: Math.floor(Date.now() / 1000) - 60 }

/** Runs a program that has the built library, unmodified, and prints JSON. Fails when it says anything else. */
async function run(source: string, home: string, dist = DIST): Promise<unknown> {
  const program = join(temporaryFolder(), 'program.mjs')
  const library = JSON.stringify(pathToFileURL(join(dist, 'index.js')).href)
  writeFileSync(program, `import { accessToken, login, logout, status } from ${library}\n${source}`)
  const { exitCode, stdout, stderr } = await runCli([], { home, program })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout)
}

const TWO_HUNDRED_CALLS = `
import { createHash } from 'node:crypto'
const tokens = await Promise.all(Array.from({ length: 200 }, () => accessToken()))
const hashes = tokens.map(({ accessToken: token }) => createHash('sha256').update(token).digest('hex'))
console.log(JSON.stringify([...new Set(hashes)]))
`

test.each([1, 20])('200 calls at once in each of %i processes make one refresh', async (processes) => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin(), EXPIRED)
  const found = await Promise.all(Array.from({ length: processes }, () => run(TWO_HUNDRED_CALLS, home)))
  expect(new Set(found.flat()).size).toBe(1)
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
})

test('a living token is handed out, and status told, with no package installed', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const login = issuer.issueLogin()
  await storeLogin(home, login)
  const folder = temporaryFolder()
  cpSync(DIST, join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const source = `
    const { accountId } = await accessToken()
    const { state } = await status()
    console.log(JSON.stringify({ accountId, state }))`
  expect(await run(source, home, join(folder, 'dist'))).toEqual({ accountId: 'account-1', state: 'valid' })
})

/** What a process has that a library could take hold of. */
const HOLDS = `
const holds = () => ({
  listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  emit: process.emit === emit,
  exit: process.reallyExit === exit,
})
const { emit, reallyExit: exit } = process
const before = holds()
`

test('a host keeps its signals, its output and its end, whatever is called', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin(), EXPIRED)
  const source = `${HOLDS}
    await accessToken()
    await status()
    await login({ issuer: '${issuer.issuer}', ports: [0], openBrowser: false, onAddress: (url) => void fetch(url) })
    await logout()
    console.log(JSON.stringify({ before, after: holds() }))`
  const { before, after } = (await run(source, home)) as Record<'before' | 'after', unknown>
  expect(after).toEqual(before)
  expect({ refreshes: issuer.refreshes, alive: issuer.liveFamilies() }).toEqual({ refreshes: 1, alive: 0 })
})

test('a host that ends while it has the lock leaves none in the way', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin())
  issuer.nextRevocationAnswers.push(answers.silence)
  const source = `
    import { existsSync } from 'node:fs'
    void logout()
    while (!existsSync(process.env.CODEX_AUTH_HOME + '/profiles/default.lock'))
      await new Promise((resolve) => setImmediate(resolve))
    console.log(JSON.stringify('locked'))
    process.exit(0)`
  expect(await run(source, home)).toBe('locked')
  expect((await runCli(['refresh', '--quiet'], { home })).exitCode).toBe(0)
  expect(issuer.refreshes).toBe(1)
})

const WORKER_THAT_IS_ENDED = `
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url))
  await once(worker, 'message')
  await worker.terminate()
  const { profile } = await accessToken()
  console.log(JSON.stringify(profile))
} else {
  subscribe('codex-auth:trace', (message) => {
    if (!message.endsWith('has the lock')) return
    parentPort.postMessage(message)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
  await accessToken()
}`

test.runIf(process.platform === 'linux')(
  'a worker that is ended while it has the lock leaves none in the way of its own process',
  async () => {
    const [home, issuer] = [newHome(), await newIssuer()]
    await storeLogin(home, issuer.issueLogin(), EXPIRED)
    expect(await run(WORKER_THAT_IS_ENDED, home)).toBe('default')
    expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
      refreshes: 1,
      spentTwice: 0,
    })
  },
)
