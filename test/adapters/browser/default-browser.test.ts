import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../support/temp-folder.ts'
import { recorder } from './recorder.ts'

const ADDRESS = `https://auth.example.com/authorize?a=b%20c&d=it's ‘so’;$(touch x)|e"f`
const POWERSHELL = String.raw`System32\WindowsPowerShell\v1.0\powershell.exe`

/** Where a process that is started here believes it runs. Each of these is asked once, when a program starts. */
const LINUX = ''
const MACOS = 'Object.defineProperty(process, "platform", { value: "darwin" })'
const WINDOWS = 'Object.defineProperty(process, "platform", { value: "win32" })'

let built: string

beforeAll(async () => {
  const folder = temporaryFolder(afterAll)
  const build = await rolldown({
    input: join(import.meta.dirname, '../../../src/adapters/browser.ts'),
    platform: 'node',
  })
  await build.write({ dir: folder, format: 'esm', entryFileNames: 'browser.mjs' })
  await build.close()
  built = join(folder, 'browser.mjs')
}, 30_000)

describe('the system’s default browser', { timeout: 30_000 }, () => {
  test('on Linux is that of xdg-open', async () => {
    const folder = temporaryFolder()
    const opener = recorder(folder, 'xdg-open')
    expect(await openIn(LINUX, { PATH: folder, DISPLAY: ':0' })).toEqual(OPENED)
    expect(opener.args()).toEqual([ADDRESS])
  })

  test('on macOS is that of open(1)', async () => {
    const folder = temporaryFolder()
    const opener = recorder(folder, 'open')
    expect(await openIn(MACOS, { PATH: folder })).toEqual(OPENED)
    expect(opener.args()).toEqual([ADDRESS])
  })

  test('on Windows is that of Start-Process, to which the address is a quoted text', async () => {
    const folder = temporaryFolder()
    const opener = recorder(folder, `Windows\\${POWERSHELL}`)
    expect(await openIn(WINDOWS, { SYSTEMROOT: join(folder, 'Windows') })).toEqual(OPENED)
    expect(decoded(opener.args())).toEqual(STARTED_BY_POWERSHELL)
  })

  test('in WSL is that of Windows, without a screen on Linux', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'c/Windows/System32/WindowsPowerShell/v1.0'), { recursive: true })
    const opener = recorder(folder, `c/Windows/${POWERSHELL.replaceAll('\\', '/')}`)
    expect(await openIn(wsl(folder), {})).toEqual(OPENED)
    expect(decoded(opener.args())).toEqual(STARTED_BY_POWERSHELL)
  })

  test.each([
    ['on Linux', LINUX, 'xdg-open'],
    ['on macOS', MACOS, 'open'],
    ['on Windows', WINDOWS, `Windows\\${POWERSHELL}`],
  ])('%s may fail to open', async (_where, system, name) => {
    const folder = temporaryFolder()
    const opener = recorder(folder, name, 'exit 4')
    const env = { PATH: folder, SYSTEMROOT: join(folder, 'Windows'), DISPLAY: ':0' }
    expect(await openIn(system, env)).toEqual(NOT_OPENED)
    expect(opener.args()?.length).toBeGreaterThan(0)
  })

  test.each([
    ['on Linux', LINUX],
    ['on macOS', MACOS],
    ['on Windows', WINDOWS],
  ])('%s may have no starter', async (_where, system) => {
    const folder = temporaryFolder()
    const env = { PATH: folder, SYSTEMROOT: join(folder, 'Windows'), DISPLAY: ':0' }
    expect(await openIn(system, env)).toEqual(NOT_OPENED)
  })

  test('on Linux is not asked for without a screen', async () => {
    const folder = temporaryFolder()
    const opener = recorder(folder, 'xdg-open')
    expect(await openIn(LINUX, { PATH: folder })).toEqual(NOT_OPENED)
    expect(opener.args()).toBeUndefined()
  })
})

test.each([
  ['a browser', LINUX, 'browser'],
  ['the starter of macOS', MACOS, 'open'],
  ['the starter of Linux', LINUX, 'xdg-open'],
])(
  'a program ends while it waits for %s that stays, which goes on unheard',
  async (_what, system, name) => {
    const folder = temporaryFolder()
    const pid = join(folder, 'pid')
    const stays = `echo $$ >'${pid}.part'; /bin/mv '${pid}.part' '${pid}'; exec /bin/sleep 20`
    const browser = recorder(folder, name, stays)
    const env = name === 'browser' ? { BROWSER: browser.path } : { PATH: folder, DISPLAY: ':0' }
    // Nothing but the question whether it has started holds this program.
    const code = `
    const { existsSync } = await import('node:fs')
    let free = false
    void browser.open(${JSON.stringify(ADDRESS)}).then(() => free && console.log('was kept waiting'))
    const asking = setInterval(() => {
      free = existsSync(${JSON.stringify(pid)})
      if (free) clearInterval(asking)
    }, 5)`
    expect(await run(system, env, code)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const started = Number(readFileSync(pid, 'utf8'))
    onTestFinished(() => void process.kill(started))
    expect([browser.args(), process.kill(started, 0)]).toEqual([[ADDRESS], true])
  },
  30_000,
)

interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

const OPENED: Ended = { exitCode: 0, stdout: 'opened: true\n', stderr: '' }
const NOT_OPENED: Ended = { exitCode: 0, stdout: 'opened: false\n', stderr: '' }

const STARTED_BY_POWERSHELL = [
  '-NoProfile',
  '-NonInteractive',
  '-ExecutionPolicy',
  'Bypass',
  '-EncodedCommand',
  // Each of the five quotes that PowerShell knows is doubled within a text, and so are the typographic ones.
  `$ProgressPreference = 'SilentlyContinue'; Start '${ADDRESS.replaceAll(/['‘’]/g, '$&$&')}'`,
]

function decoded(args: readonly string[] | undefined): string[] | undefined {
  const command = args?.at(-1)
  return args && [...args.slice(0, -1), Buffer.from(command ?? '', 'base64').toString('utf16le')]
}

/** A kernel of that name, no container, and the drives of Windows in this folder. */
function wsl(drives: string): string {
  const files = {
    '/proc/sys/kernel/osrelease': '5.15.167.4-microsoft-standard-WSL2\n',
    '/proc/self/cgroup': '0::/\n',
    '/etc/wsl.conf': `[automount]\nroot = ${drives}\n`,
    '/.dockerenv': undefined,
    '/run/.containerenv': undefined,
    '/run/systemd/container': undefined,
  }
  return `
    import fs from 'node:fs'
    import files from 'node:fs/promises'
    import os from 'node:os'
    import { syncBuiltinESMExports } from 'node:module'
    const known = new Map(Object.entries(${JSON.stringify(files, (_, text: unknown) => text ?? null)}))
    const missing = () => { throw Object.assign(new Error('no such file'), { code: 'ENOENT' }) }
    const seen = (real, answer) => (path, ...rest) =>
      !known.has(path) ? real(path, ...rest) : known.get(path) === null ? missing() : answer(known.get(path))
    fs.statSync = seen(fs.statSync, () => ({}))
    fs.readFileSync = seen(fs.readFileSync, (text) => text)
    const { existsSync } = fs
    fs.existsSync = (path) => known.has(path) ? known.get(path) !== null : existsSync(path)
    files.access = seen(files.access, () => undefined)
    files.readFile = seen(files.readFile, async (text) => text)
    os.release = () => '5.15.167.4-microsoft-standard-WSL2'
    syncBuiltinESMExports()`
}

async function openIn(system: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return run(
    system,
    env,
    `// As a sign-in does, it has something else to wait for.
    const waiting = setInterval(() => {}, 60_000)
    console.log('opened:', await browser.open(${JSON.stringify(ADDRESS)}))
    clearInterval(waiting)`,
  )
}

/** Runs a program that has `browser`, the system's, and nothing else of this process's environment. */
async function run(system: string, env: Readonly<Record<string, string>>, code: string): Promise<Ended> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'system.mjs'), system)
  writeFileSync(
    join(folder, 'program.mjs'),
    `import ${JSON.stringify(pathToFileURL(join(folder, 'system.mjs')).href)}
     const { systemBrowser } = await import(${JSON.stringify(pathToFileURL(built).href)})
     const browser = systemBrowser(process.env)
     ${code}`,
  )
  const child = spawn(process.execPath, [join(folder, 'program.mjs')], {
    cwd: folder,
    env: { PATH: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [exitCode] = (await once(child, 'close')) as [number | null]
  expect(existsSync(join(folder, 'x'))).toBe(false)
  return { exitCode, stdout, stderr }
}
