import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandTree } from '../../man/command-tree.ts'
import { manualPage } from '../../man/page.ts'
import * as library from '../../src/index.ts'
import { runCli } from '../support/cli.ts'
import { atIssuer, logIn, newHome, newIssuer, storeLogin } from '../support/e2e.ts'

const ROOT = join(import.meta.dirname, '../..')
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const PROGRAM = 'bin/codex-auth.js'
const MODULES = join(ROOT, 'node_modules')

interface Packed {
  readonly folder: string
  readonly tarball: string
  readonly files: readonly string[]
  /** Where it is unpacked, with nothing around it. */
  readonly alone: string
  /** A project that has it, and what it depends on, installed. */
  readonly project: string
}

let packed: Packed

beforeAll(() => {
  packed = pack()
})

afterAll(() => rmSync(packed.folder, { recursive: true }))

test('the tarball holds the program, the library, their papers and nothing else', () => {
  const papers = packed.files.filter((path) => !/^(?:bin|dist|schemas)\//.test(path))
  expect(papers).toEqual(['LICENSE', 'README.md', 'package.json'])
  const forms = packed.files.filter((path) => !papers.includes(path)).map(extname)
  expect([...new Set(forms)].toSorted()).toEqual(['.1', '.cjs', '.js', '.json', '.ts'])
})

test('no chunk of an earlier build is left in it', () => {
  const code = packed.files.filter((path) => /\.c?js$/.test(path))
  const reached = new Set([PROGRAM, 'dist/index.js'])
  for (const path of reached) {
    const text = readFileSync(join(packed.alone, path), 'utf8')
    for (const other of code) if (text.includes(`/${basename(other)}`)) reached.add(other)
  }
  expect(code.filter((path) => !reached.has(path))).toEqual([])
})

describe('the program', () => {
  test('says its version with nothing installed around it', async () => {
    expect(await runCli(['--version'], { home: newHome(), program: join(packed.alone, PROGRAM) })).toEqual({
      exitCode: 0,
      stdout: `${PACKAGE.version}\n`,
      stderr: '',
    })
  })

  test('signs in, renews and signs out with nothing installed around it', async () => {
    const options = { home: newHome(), program: join(packed.alone, PROGRAM) }
    const issuer = await newIssuer()
    const login = await logIn(atIssuer(issuer), options)
    const first = await runCli(['token'], options)
    const refresh = await runCli(['refresh', '--quiet'], options)
    const config = await runCli(['config', 'set', 'ports', '0', '--quiet'], options)
    const logout = await runCli(['logout', '--quiet'], options)
    expect([login, first, refresh, config, logout].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0])
    expect({ refreshes: issuer.refreshes, alive: issuer.liveFamilies() }).toEqual({ refreshes: 1, alive: 0 })
  })

  test('is a command where it is installed', () => {
    expect(statSync(join(packed.alone, PROGRAM)).mode & 0o111).toBe(0o111)
    const linked = join(packed.project, 'node_modules/.bin/codex-auth')
    expect(execFileSync(linked, ['--version'], { encoding: 'utf8' })).toBe(`${PACKAGE.version}\n`)
  })
})

test('the schemas are found by the name of the package', () => {
  const { resolve } = createRequire(join(packed.project, 'package.json'))
  const found = JSON.parse(readFileSync(resolve('codex-auth/schemas/status.json'), 'utf8'))
  expect(found.title).toBe('codex-auth status --json')
  const schemas = packed.files.filter((path) => path.startsWith('schemas/'))
  expect(schemas).toEqual(readdirSync(join(ROOT, 'schemas')).map((name) => `schemas/${name}`))
})

test('the manual page lies where npm looks for it, and is of this program', () => {
  const page = readFileSync(join(packed.alone, PACKAGE.man), 'utf8')
  expect(page).toMatch(/^\.Dd [A-Z][a-z]+ \d+, \d{4}\n\.Dt CODEX-AUTH 1\n/)
  expect(page.replace(/^.*\n/, '')).toBe(manualPage(commandTree(), new Date()).replace(/^.*\n/, ''))
})

describe('the library', () => {
  test('is imported by its name, with the packages it asks for and no others', () => {
    const script = "import('codex-auth').then((it) => console.log(JSON.stringify(Object.keys(it))))"
    const names = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: packed.project,
      encoding: 'utf8',
    })
    expect(JSON.parse(names).toSorted()).toEqual(Object.keys(library).toSorted())
  })

  test.each([
    ['program.mjs', "import { accessToken } from 'codex-auth'"],
    ['program.cjs', "const { accessToken } = require('codex-auth')"],
  ])('renews and hands out a token where it is installed, to %s', async (name, found) => {
    const [home, issuer] = [newHome(), await newIssuer()]
    await storeLogin(home, issuer.issueLogin(), { expiresAt: Math.floor(Date.now() / 1000) - 60 })
    const program = join(packed.project, name)
    writeFileSync(program, `${found}\naccessToken().then(({ accountId }) => console.log(accountId))\n`)
    expect(await runCli([], { home, program })).toEqual({ exitCode: 0, stdout: 'account-1\n', stderr: '' })
    expect(issuer.refreshes).toBe(1)
  })

  test('asks nowhere for its own address, which it has not when it is bundled into CommonJS', () => {
    const code = packed.files.filter((path) => /^dist\/index\b.*\.js$/.test(path))
    const asking = code.filter((path) =>
      readFileSync(join(packed.alone, path), 'utf8').includes('import.meta'),
    )
    expect({ some: code.length > 1, asking }).toEqual({ some: true, asking: [] })
  })

  test.for([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const)('has types that hold with module %s and resolution %s', ([module, moduleResolution]) => {
    writeFileSync(join(packed.project, 'consumer.ts'), CONSUMER)
    writeFileSync(
      join(packed.project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          module,
          moduleResolution,
          target: 'es2023',
          types: [],
        },
        files: ['consumer.ts'],
      }),
    )
    expect(run('tsc', ['-p', packed.project])).toEqual({ status: 0, output: '' })
  })
})

describe('to those who check packages', () => {
  test('publint has nothing to say', async () => {
    const tarball = new Uint8Array(readFileSync(packed.tarball)).buffer
    const { messages } = await publint({ pkgDir: 'package', pack: { tarball }, strict: true })
    expect(messages).toEqual([])
  })

  test('the types are right for everybody who can import it', () => {
    // Without --no-definitely-typed it would ask the registry.
    const words = [packed.tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii']
    const { status, output } = run('attw', words)
    expect(status === 0 ? 'right' : output).toBe('right')
  })
})

const CONSUMER = `
import {
  accessToken, authenticatedFetch, AuthError, login, logout, status,
  type AccessToken, type AccessTokenOptions, type AccountReport, type AuthenticatedFetchOptions, type CallOptions,
  type DeviceCode, type ErrorCode, type Fetch, type LoginOptions, type LogoutOptions, type LogoutReport, type SignInReport,
  type StatusOptions, type StatusReport,
} from 'codex-auth'

export const code: ErrorCode = new AuthError('usage', 'said').code
// @ts-expect-error -- a code that does not exist
new AuthError('nonsense', 'said')

const call: CallOptions = { profile: 'work', home: '/home', env: {} }
const { signal } = new AbortController()
const onWarning = (message: string): void => void message
const asked: AccessTokenOptions = { ...call, minTtl: 60, refresh: false, refused: 'a', signal, onWarning }
const fetchOptions: AuthenticatedFetchOptions = { ...call, origins: ['https://a.example'], fetch: globalThis.fetch }
const onCode = ({ verificationUrl, userCode, expiresAt }: DeviceCode): string => verificationUrl + userCode + expiresAt.toFixed()
const signIn: LoginOptions = { ...call, method: 'device_code', onAddress: (url: string) => void url, onCode, signal }
const signOut: LogoutOptions = { ...call, localOnly: true, signal }
const look: StatusOptions = { ...call, minTtl: 60 }

export async function everything(): Promise<unknown[]> {
  const token: AccessToken = await accessToken(asked)
  const until: number | undefined = token.expiresAt
  const report: StatusReport = await status(look)
  const same: StatusReport = await login(signIn)
  const gone: LogoutReport = await logout(signOut)
  const account: AccountReport | null = same.account
  const waiting: SignInReport | null = report.login_in_progress
  const own: Fetch = authenticatedFetch(fetchOptions)
  const standard: typeof fetch = own
  // @ts-expect-error -- nobody gets the refresh token
  token.refreshToken
  // @ts-expect-error -- a state that does not exist
  report.state === 'nonsense'
  return [until, account?.email, waiting?.pid, gone.revoked, (await standard('https://a.example')).status]
}
`

function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-packed-'))
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [report] = JSON.parse(execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }))
  const tarball = join(folder, report.filename)
  const files = report.files.map(({ path }: { path: string }) => path)
  return {
    folder,
    tarball,
    files,
    alone: unpack(tarball, join(folder, 'alone')),
    project: install(tarball, folder),
  }
}

function unpack(tarball: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder])
  return folder
}

/** As npm lays it out, with this repository's copies of the packages it depends on. */
function install(tarball: string, folder: string): string {
  const project = join(folder, 'project')
  const modules = join(project, 'node_modules')
  unpack(tarball, join(modules, 'codex-auth'))
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  for (const name of Object.keys(PACKAGE.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(MODULES, name), join(modules, name))
  }
  mkdirSync(join(modules, '.bin'))
  symlinkSync('../codex-auth/bin/codex-auth.js', join(modules, '.bin/codex-auth'))
  return project
}

function run(tool: string, words: readonly string[]): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(join(MODULES, '.bin', tool), words, { encoding: 'utf8' })
  return { status, output: stdout }
}
