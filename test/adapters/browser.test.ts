import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { windowsArgument } from '../../src/adapters/browser/application.ts'
import { shouldOpenBrowser, systemBrowser } from '../../src/adapters/browser.ts'
import type { Environment, System } from '../../src/adapters/whereabouts.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { recorder } from './browser/recorder.ts'

const ADDRESS = 'https://auth.example.com/authorize?client_id=app&scope=openid%20email'
const PATH = process.env['PATH']

describe('BROWSER', () => {
  test.each([
    ADDRESS,
    'http://localhost:1455/a?b=c&d=e;f|g',
    'https://example.com/?a= b  c\td',
    `https://example.com/?a='b'"c"\`d\`\\`,
    'https://example.com/?a=$(touch x)${HOME}%PATH%%s%%!',
    'https://example.com/?a=*~#<>^(){}[]é‘’😀',
    'https://example.com/?a=\nb\r\n',
  ])('gets the address as it is: %j', async (address) => {
    const browser = recorder(temporaryFolder(), 'browser')
    expect(await openWith(browser.path, address)).toBe(true)
    expect(browser.args()).toEqual([address])
  })

  test('gets its own arguments, and the address where it wants it', async () => {
    const browser = recorder(temporaryFolder(), 'browser')
    expect(await openWith(`${browser.path} -P 'my work' --app=%s 100%%`)).toBe(true)
    expect(browser.args()).toEqual(['-P', 'my work', `--app=${ADDRESS}`, '100%'])
  })

  test('may be a path with spaces, unquoted', async () => {
    const folder = join(temporaryFolder(), 'Program Files')
    mkdirSync(folder)
    const browser = recorder(folder, 'my browser')
    expect(await openWith(browser.path)).toBe(true)
    expect(browser.args()).toEqual([ADDRESS])
  })

  test('is looked for in PATH', async () => {
    const folder = temporaryFolder()
    const browser = recorder(folder, 'browser')
    expect(await systemBrowser({ BROWSER: 'browser', PATH: folder }, undefined, LINUX).open(ADDRESS)).toBe(
      true,
    )
    expect(browser.args()).toEqual([ADDRESS])
  })

  test('is tried in turn until one starts', async () => {
    const folder = temporaryFolder()
    const [failing, working, spare] = [
      recorder(folder, 'failing', 'exit 3'),
      recorder(folder, 'working'),
      recorder(folder, 'spare'),
    ]
    expect(
      await openWith([failing.path, join(folder, 'missing'), folder, working.path, spare.path].join(':')),
    ).toBe(true)
    expect([failing, working, spare].map((browser) => browser.args())).toEqual([
      [ADDRESS],
      [ADDRESS],
      undefined,
    ])
  })

  test('comes after the browser of the settings', async () => {
    const folder = temporaryFolder()
    const [set, named] = [recorder(folder, 'set'), recorder(folder, 'named')]
    expect(await openWith(named.path, ADDRESS, `${set.path} --new-window`)).toBe(true)
    expect([set.args(), named.args()]).toEqual([['--new-window', ADDRESS], undefined])
  })

  test('is taken when the browser of the settings fails', async () => {
    const folder = temporaryFolder()
    const [set, named] = [recorder(folder, 'set', 'exit 1'), recorder(folder, 'named')]
    expect(await openWith(named.path, ADDRESS, set.path)).toBe(true)
    expect([set.args(), named.args()]).toEqual([[ADDRESS], [ADDRESS]])
  })

  test('that stays is a browser, and is left alone', async () => {
    const folder = temporaryFolder()
    const browser = recorder(folder, 'browser', `echo $$ >'${folder}/pid'; exec sleep 20`)
    expect(await openWith(browser.path)).toBe(true)
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    onTestFinished(() => void process.kill(pid))
    expect(process.kill(pid, 0)).toBe(true)
  })

  test.each([
    ['fails at once', 'exit 1'],
    ['crashes', 'kill -9 $$'],
  ])('that %s has not opened anything', async (_what, then) => {
    expect(await openWith(recorder(temporaryFolder(), 'browser', then).path)).toBe(false)
  })

  test('of true pretends, as everywhere', async () => {
    expect([await openWith('true'), await openWith('false')]).toEqual([true, false])
  })

  test('of none is no browser, and what follows is not tried', async () => {
    const browser = recorder(temporaryFolder(), 'browser')
    expect([await openWith(`none:${browser.path}`), await openWith('NONE')]).toEqual([false, false])
    expect(browser.args()).toBeUndefined()
  })

  test('that would read the address as a command is passed over', async () => {
    const folder = temporaryFolder()
    const [shell, browser] = [recorder(folder, 'cmd.exe'), recorder(folder, 'browser')]
    expect(await openWith(`${shell.path} /c start:${browser.path}`)).toBe(true)
    expect([shell.args(), browser.args()]).toEqual([undefined, [ADDRESS]])
  })

  test.each(['', ' ', ':', '::'])(
    '%j names none: without a screen there is nothing to open',
    async (list) => {
      expect(await openWith(list)).toBe(false)
    },
  )
})

test.each([
  'file:///etc/passwd',
  '/etc/passwd',
  '--version',
  'javascript:alert(1)',
  'ftp://example.com',
  ' https://example.com',
  'https:',
  '',
])('%j is no web address, and nothing is started', async (address) => {
  const browser = recorder(temporaryFolder(), 'browser')
  expect(await openWith(browser.path, address)).toBe(false)
  expect(browser.args()).toBeUndefined()
})

test('an address that no program can be given is not opened', async () => {
  expect(await openWith('true', 'https://example.com/\0')).toBe(false)
})

describe('an application by its name', () => {
  test('on macOS goes to open(1)', async () => {
    const folder = temporaryFolder()
    const open = recorder(folder, 'open')
    expect(await openOn('darwin', { PATH: folder }, 'Google Chrome')).toBe(true)
    expect(open.args()).toEqual(['-a', 'Google Chrome', ADDRESS])
  })

  test('on macOS may be unknown', async () => {
    const folder = temporaryFolder()
    recorder(folder, 'open', 'exit 1')
    expect(await openOn('darwin', { PATH: folder }, 'Nonesuch')).toBe(false)
  })

  test('on Windows goes to PowerShell, whose command is always the same', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'Windows'))
    const powershell = recorder(
      folder,
      String.raw`Windows\System32\WindowsPowerShell\v1.0\powershell.exe`,
      `pwd >'${folder}/cwd'`,
      ['BROWSER_NAME', 'BROWSER_ARGUMENT'],
    )
    const env = { PATH: folder, SystemRoot: join(folder, 'Windows') }
    expect(await openOn('win32', env, `it's "fire" fox`)).toBe(true)
    expect(powershell.args()).toEqual([
      '-NoProfile',
      '-NonInteractive',
      '-Command',
      'Start-Process -FilePath $env:BROWSER_NAME -ArgumentList $env:BROWSER_ARGUMENT',
    ])
    expect([powershell.variable('BROWSER_NAME'), powershell.variable('BROWSER_ARGUMENT')]).toEqual([
      `it's "fire" fox`,
      `"${ADDRESS}"`,
    ])
    expect(readFileSync(join(folder, 'cwd'), 'utf8')).toBe(`${join(folder, 'Windows')}\n`)
  })

  test('on Windows may be unknown', async () => {
    expect(
      await openOn('win32', { PATH: temporaryFolder(), SystemRoot: temporaryFolder() }, 'nonesuch'),
    ).toBe(false)
  })

  test('is nothing on Linux', async () => {
    expect(await openOn('linux', { PATH: temporaryFolder() }, 'Google Chrome')).toBe(false)
  })
})

test('on Windows a program of the current folder is not taken for the one in PATH', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'Windows'))
  const browser = recorder(folder, 'firefox', `pwd >'${folder}/cwd'`)
  const env = { PATH: folder, SystemRoot: join(folder, 'Windows') }
  expect(await openOn('win32', env, 'firefox')).toBe(true)
  expect(browser.args()).toEqual([ADDRESS])
  expect(readFileSync(join(folder, 'cwd'), 'utf8')).toBe(`${join(folder, 'Windows')}\n`)
})

test.each([
  ['https://example.com/?a&b', '"https://example.com/?a&b"'],
  ['a b', '"a b"'],
  ['a"b', String.raw`"a\"b"`],
  [String.raw`a\b\"c`, String.raw`"a\b\\\"c"`],
  ['a\\', String.raw`"a\\"`],
  ['a\\\\', String.raw`"a\\\\"`],
])('one argument on Windows: %j is %j', (text, quoted) => {
  expect(windowsArgument(text)).toBe(quoted)
})

describe('a browser is opened', () => {
  const there = { ssh: false, container: false, wsl: false, display: true }

  test.each([
    ['at a desktop', there, {}, true],
    ['in WSL, whose screen is that of Windows', { ...there, wsl: true, display: false }, {}, true],
    ['in a container with a screen', { ...there, container: true }, {}, true],
    ['without a screen', { ...there, display: false }, {}, false],
    ['in a container without a screen', { ...there, container: true, display: false }, {}, false],
    ['over SSH', { ...there, ssh: true, display: false }, {}, false],
    ['over SSH into WSL', { ...there, ssh: true, wsl: true, display: false }, {}, false],
    ['over SSH, on the screen of that machine', { ...there, ssh: true }, { DISPLAY: ':0' }, false],
    ['over SSH, on that screen by its longer name', { ...there, ssh: true }, { DISPLAY: 'unix:0' }, false],
    ['over SSH, on Wayland there', { ...there, ssh: true }, { WAYLAND_DISPLAY: 'wayland-0' }, false],
    ['over SSH, with X11 forwarding', { ...there, ssh: true }, { DISPLAY: 'localhost:10.0' }, true],
    ['over SSH, with X11 forwarding by address', { ...there, ssh: true }, { DISPLAY: '[::1]:10.0' }, true],
    [
      'over SSH to macOS, whose browsers know no X11',
      { ...there, ssh: true, display: false },
      { DISPLAY: 'localhost:10.0' },
      false,
    ],
    ['over SSH, where BROWSER is set', { ...there, ssh: true, display: false }, { BROWSER: 'x' }, true],
    ['without a screen, where BROWSER is set', { ...there, display: false }, { BROWSER: 'lynx' }, true],
    ['where BROWSER is empty', { ...there, ssh: true, display: false }, { BROWSER: ' : ' }, false],
    ['where BROWSER is none', there, { BROWSER: 'none' }, false],
    ['where BROWSER has only what cannot be used', there, { BROWSER: 'cmd.exe /c start' }, true],
  ] as const)('%s', (_where, whereabouts, env, opened) => {
    expect(shouldOpenBrowser(whereabouts, env, 'linux')).toBe(opened)
  })
})

test('a browser that starts is said in the trace, its address is not', async () => {
  const { channel } = await import('node:diagnostics_channel')
  const heard = vi.fn<(message: unknown) => void>()
  channel('codex-auth:trace').subscribe(heard)
  onTestFinished(() => {
    channel('codex-auth:trace').unsubscribe(heard)
  })
  await openWith('true --secret')
  expect(heard.mock.calls.map(([message]) => message)).toEqual(['browser "true": started'])
})

const LINUX: System = { platform: 'linux', read: () => '', exists: () => false }

async function openWith(list: string, address = ADDRESS, program?: string): Promise<boolean> {
  return systemBrowser({ BROWSER: list, PATH }, program, LINUX).open(address)
}

async function openOn(platform: NodeJS.Platform, env: Environment, program: string): Promise<boolean> {
  return systemBrowser(env, program, { ...LINUX, platform }).open(ADDRESS)
}
