import { describe, expect, test } from 'vitest'
import {
  browserCommand,
  browserCommands,
  isShell,
  withAddress,
} from '../../../src/adapters/browser/command.ts'

const ADDRESS = 'https://auth.example.com/authorize?a=b%20c&d=%s'

describe('BROWSER', () => {
  test.each([
    ['firefox', [['firefox']]],
    ['firefox -P work', [['firefox', '-P', 'work']]],
    ['  firefox\t-P  work ', [['firefox', '-P', 'work']]],
    ['firefox:chromium --incognito', [['firefox'], ['chromium', '--incognito']]],
    [':firefox::', [['firefox']]],
    ["'/opt/my browser/run' -x", [['/opt/my browser/run', '-x']]],
    ['"/opt/my browser/run" -x', [['/opt/my browser/run', '-x']]],
    [String.raw`/opt/my\ browser/run`, [['/opt/my browser/run']]],
    [String.raw`a "b \" \\ \n" c\:d`, [['a', String.raw`b " \ \n`, 'c:d']]],
    [`a 'b:c' "d:e":f`, [['a', 'b:c', 'd:e'], ['f']]],
    [
      String.raw`netscape -raise -remote "openURL(%s,new-window)":lynx`,
      [['netscape', '-raise', '-remote', 'openURL(%s,new-window)'], ['lynx']],
    ],
    [`a'b c'"d e"`, [['ab cd e']]],
    [`a '' ""`, [['a', '', '']]],
    [`/home/o'brien/browser`, [[`/home/o'brien/browser`]]],
    ['a "b c', [['a', '"b', 'c']]],
    ['a\\', [['a\\']]],
    [
      'a $HOME `b` $(c) ~ * ; d && e | f > g',
      [['a', '$HOME', '`b`', '$(c)', '~', '*', ';', 'd', '&&', 'e', '|', 'f', '>', 'g']],
    ],
    ['', []],
    [' : :', []],
  ])('%j is %j', (list, words) => {
    expect(browserCommands(list, 'linux').map((command) => command.words)).toEqual(words)
    expect(browserCommands(list, 'darwin').map((command) => command.words)).toEqual(words)
  })

  test.each([
    ['firefox;chrome --incognito', [['firefox'], ['chrome', '--incognito']]],
    [
      String.raw`"C:\Program Files\Mozilla Firefox\firefox.exe" -P work`,
      [[String.raw`C:\Program Files\Mozilla Firefox\firefox.exe`, '-P', 'work']],
    ],
    [
      String.raw`C:\Users\O'Brien\browser.exe;"C:\a;b\c.exe"`,
      [[String.raw`C:\Users\O'Brien\browser.exe`], [String.raw`C:\a;b\c.exe`]],
    ],
  ])('on Windows, %j is %j', (list, words) => {
    expect(browserCommands(list, 'win32').map((command) => command.words)).toEqual(words)
  })

  test('keeps each command as it was written', () => {
    expect(browserCommands(' /opt/my browser/run : "a b" -c', 'linux').map(({ text }) => text)).toEqual([
      '/opt/my browser/run',
      '"a b" -c',
    ])
  })
})

test('a single command has no separator', () => {
  expect(browserCommand('a:b c', 'linux')).toEqual([{ text: 'a:b c', words: ['a:b', 'c'] }])
  expect(browserCommand('a;b c', 'win32')).toEqual([{ text: 'a;b c', words: ['a;b', 'c'] }])
  expect(browserCommand(' ', 'linux')).toEqual([])
})

describe('the address', () => {
  test.each([
    [['a'], ['a', ADDRESS]],
    [
      ['a', '-b'],
      ['a', '-b', ADDRESS],
    ],
    [
      ['a', '%s', '-b'],
      ['a', ADDRESS, '-b'],
    ],
    [
      ['a', '--app=%s', '(%s,%s)'],
      ['a', `--app=${ADDRESS}`, `(${ADDRESS},${ADDRESS})`],
    ],
    [
      ['a', '%%s', '100%%'],
      ['a', '%s', '100%', ADDRESS],
    ],
    [
      ['a', '%%%s'],
      ['a', `%${ADDRESS}`],
    ],
    [
      ['a', '%d', '%'],
      ['a', '%d', '%', ADDRESS],
    ],
    // It never becomes the program.
    [['%s'], ['%s', ADDRESS]],
    [
      ['%s', '%s'],
      ['%s', ADDRESS],
    ],
  ])('in %j makes %j', (words, filled) => {
    expect(withAddress(words, ADDRESS)).toEqual(filled)
  })
})

describe('an address would be read as a command by', () => {
  test.each([
    'cmd /c start',
    'cmd.exe /c start %s',
    '/mnt/c/Windows/System32/CMD.EXE /c start',
    'powershell.exe /c start',
    'pwsh -c Start-Process',
    'sh -c "firefox %s"',
    `/bin/bash -c 'exec firefox "%s"'`,
  ])('%s', (text) => {
    expect(browserCommand(text, 'linux').map(isShell)).toEqual([true])
  })

  test(String.raw`C:\Windows\System32\cmd.exe /c start`, () => {
    expect(browserCommand(String.raw`C:\Windows\System32\cmd.exe /c start`, 'win32').map(isShell)).toEqual([
      true,
    ])
  })
})

test.each([
  'firefox',
  'wslview',
  `sh -c 'exec firefox "$0"'`,
  'sh -c "echo 100%%s"',
  'command',
  '/opt/cmd/firefox',
])('an address is only an address to %s', (text) => {
  expect(browserCommand(text, 'linux').map(isShell)).toEqual([false])
})
