import { describe, expect, test } from 'vitest'
import { partAtCommand } from '../../src/commands/exec-words.ts'
import { temporaryHome } from '../support/fake-surroundings.ts'

function parted(line: string) {
  const { own, command } = partAtCommand(line.split(' '))
  return `${own.join(' ')} | ${command.join(' ')}`
}

describe('the words of exec', () => {
  test.each([
    ['exec -- env', 'exec | env'],
    ['exec env -0', 'exec | env -0'],
    ['exec -- curl --json --profile x -h', 'exec | curl --json --profile x -h'],
    ['exec curl --json -- --help', 'exec | curl --json -- --help'],
    ['exec --json -- -- x', 'exec --json | -- x'],
    ['--profile exec exec env', '--profile exec exec | env'],
    [
      '--profile=work --json exec --env=A --min-ttl 5m env',
      '--profile=work --json exec --env=A --min-ttl 5m | env',
    ],
    ['exec --profile work --env A --quiet -- x', 'exec --profile work --env A --quiet | x'],
    ['exec exec env', 'exec | exec env'],
  ])('%s', (line, expected) => {
    expect(parted(line)).toBe(expected)
  })

  test.each(['exec', 'exec --help', 'exec --', 'exec --env', 'exec --profile work'])(
    '%s: there is no command',
    (line) => {
      expect(partAtCommand(line.split(' ')).command).toEqual([])
    },
  )

  test.each(['token --env exec env', 'help exec', '-- exec env', 'profile use exec', '--nonsense', ''])(
    '%s: is no call of exec, and stays whole',
    (line) => {
      const words = line.split(' ')
      expect(partAtCommand(words)).toEqual({ own: words, command: [] })
    },
  )

  test('include the value of every flag that has one', async () => {
    const home = temporaryHome()
    const { stdout } = await home.run('exec --help')
    home.remove([])
    const flags = [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+) </gm)].map(([, flag]) => flag)
    expect(flags).toEqual(['--env', '--min-ttl', '--profile'])
    for (const flag of flags)
      expect(parted(`exec ${flag} value command`)).toBe(`exec ${flag} value | command`)
  })
})
