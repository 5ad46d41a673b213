import { expect, test } from 'vitest'
import { newHome } from '../support/e2e.ts'
import { startOnTerminal } from '../support/terminal.ts'

const RED = '\u001B[31m'

test.for([
  ['shows colours', [], {}, true],
  ['shows none with NO_COLOR', [], { NO_COLOR: '1' }, false],
  ['shows colours with an empty NO_COLOR', [], { NO_COLOR: '' }, true],
  ['shows none with NODE_DISABLE_COLORS', [], { NODE_DISABLE_COLORS: '1' }, false],
  ['shows none with NO_COLOR, whatever FORCE_COLOR says', [], { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ['shows none with --no-color', ['--no-color'], {}, false],
  ['shows none when it has none', [], { TERM: 'dumb' }, false],
] as const)('a terminal %s', async ([, flags, env, hasColours]) => {
  const options = { home: newHome(), env: { NO_COLOR: undefined, ...env } }
  const { exitCode, shown } = await startOnTerminal(['token', ...flags], options).ended
  expect({ exitCode, hasColours: shown.startsWith(`${RED}codex-auth:`) }).toEqual({ exitCode: 4, hasColours })
  expect(shown.includes('\u001B')).toBe(hasColours)
})
