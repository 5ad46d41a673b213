import { readdirSync } from 'node:fs'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCompleteCommand } from '../../src/commands/complete.ts'
import type { Context } from '../../src/commands/context.ts'
import { sampleCredential } from '../support/credentials.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let home: Home

beforeEach(() => {
  home = temporaryHome()
})

afterEach(() => home.remove([]))

/** What is offered at the end of this line, word by word. */
async function offered(line: string): Promise<string[]> {
  const given = line.split(' ').map((word) => `:${word}`)
  const { exitCode, stdout, stderr } = await home.run(['__complete', ...given])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout.split('\n').slice(0, -1)
}

async function words(line: string): Promise<string[]> {
  return (await offered(line)).map((answer) => answer.replace(/\t.*/, ''))
}

const GLOBAL = ['--version', '--profile', '--json', '--quiet', '--debug', '--no-color', '--no-input']
const TOKEN = [
  '--min-ttl',
  '--no-refresh',
  '--kind',
  '--timeout',
  '--format',
  '--env',
  '--shell',
  '--help',
  ...GLOBAL,
]
const COMMANDS = [
  'login',
  'token',
  'exec',
  'status',
  'refresh',
  'logout',
  'profile',
  'config',
  'setup',
  'import',
  'export',
  'completion',
]

describe('what may come next', () => {
  test('comes with what it does', async () => {
    expect(await offered('profile ')).toEqual([
      'list\tList the profiles; the one in use is marked',
      'use\tMake a profile the default',
      'remove\tRemove a profile here, without telling the provider',
      'help\texplain a command',
    ])
  })

  test.each([
    ['', [...COMMANDS, 'help']],
    ['tok', [...COMMANDS, 'help']],
    ['-', ['--version', '--profile', '--json', '--quiet', '--debug', '--no-color', '--no-input', '--help']],
    ['token ', TOKEN],
    ['token --', TOKEN],
    ['--json --profile work token --quiet ', TOKEN],
    ['token --json=x --min-ttl=5m ', TOKEN],
    ['help ', COMMANDS],
    ['completion ', ['bash', 'zsh', 'fish', 'powershell']],
    ['config ', ['get', 'set', 'unset', 'list', 'path', 'help']],
    ['login --provider ', ['openai', 'oidc']],
    ['login --provider = ', ['openai', 'oidc']],
    ['login --provider =', ['openai', 'oidc']],
    ['login --provider=o', ['--provider=openai', '--provider=oidc']],
    ['login --redirect-host ', ['localhost', '127.0.0.1']],
    ['token --min-ttl ', []],
    ['token --min-ttl=', []],
    ['token more', []],
    ['token --nonsense=', []],
    ['completion bash x', []],
    ['config set lock_wait ', []],
    ['exec ', [':command 1']],
    ['exec cat a', [':command 1']],
    ['--profile work exec --env NAME cat --number ', [':command 5']],
    ['exec --env ', []],
    ['exec -- ', [':command 2']],
    ['token -- a b', [':command 2']],
  ])('after "%s"', async (line, expected) => {
    expect(await words(line)).toEqual(expected)
  })

  test.each(['get', 'set', 'unset'])('is a setting after config %s', async (command) => {
    const { stdout } = await home.run('config list --json')
    expect(await words(`config ${command} `)).toEqual(Object.keys(JSON.parse(stdout).settings))
  })

  test.each(['--profile ', 'status --profile ', 'profile use ', 'profile remove '])(
    'is a profile after "%s"',
    async (line) => {
      await home.keep(sampleCredential(), 'work')
      await home.keep(sampleCredential(), 'home')
      expect(await offered(line)).toEqual(['home', 'work'])
    },
  )

  test('is a profile in the other form of a flag as well', async () => {
    await home.keep(sampleCredential(), 'work')
    expect(await offered('token --profile=')).toEqual(['--profile=work'])
  })
})

describe('a person who is typing', () => {
  test('makes nothing', async () => {
    await offered('profile use ')
    expect(readdirSync(home.path)).toEqual([])
  })

  test.each([
    ['CODEX_AUTH_PROFILE', '../../etc'],
    ['CODEX_AUTH_KEY_SOURCE', 'nowhere'],
  ])('is told of no fault: %s=%s', async (name, value) => {
    expect(await home.run(['__complete', ':profile', ':use', ':'], { env: { [name]: value } })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
  })

  test('is not shown the command that is asked', async () => {
    expect((await home.run('--help')).stdout).not.toContain('__complete')
    expect((await home.run('--json __complet')).stdout).not.toContain('Did you mean')
  })
})

/** What is printed for commands as others may come to have them. */
async function printedFor(given: readonly string[]): Promise<string> {
  let printed = ''
  const root = new Command('root').enablePositionalOptions()
  const context = { stdout: (text: string) => (printed += text) } as unknown as Context
  root.command('save <file>').option('--to <folder>').option('--note [text]')
  root.command('run').argument('[command...]').passThroughOptions()
  addCompleteCommand(root, context)
  await root.parseAsync(['__complete', ...given.map((word) => `:${word}`)], { from: 'user' })
  return printed
}

describe('a command of another kind', () => {
  test.each([
    [['save', ''], ':files\n'],
    [['save', '--to', ''], ':files\n'],
    [['save', '--to='], ':files\n'],
    [['save', '--to', 'here', ''], ':files\n'],
    [['save', '--note', ''], ':files\n'],
    [['run', ''], ':command 1\n'],
    [['run', 'gi'], ':command 1\n'],
    [['run', '--', 'git', 'co'], ':command 2\n'],
    [['run', 'git', '--amend', ''], ':command 1\n'],
  ])('is completed after %j', async (given, expected) => {
    expect(await printedFor(given)).toBe(expected)
  })
})
