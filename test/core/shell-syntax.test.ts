import { expect, test } from 'vitest'
import { assignments, SHELLS } from '../../src/core/shell-syntax.ts'

// What real shells make of it is in test/e2e/token-format.test.ts. There is none of PowerShell's where that runs.

const VARIABLES = [
  ['A', String.raw`it's \'$(id)`],
  ['B', undefined],
] as const

test('sh: a single quote leaves the quotes for a moment', () => {
  expect(assignments(VARIABLES, 'sh')).toBe(String.raw`export A='it'\''s \'\''$(id)'` + '\nunset B\n')
})

test('fish: a single quote and a backslash are escaped within the quotes', () => {
  expect(assignments(VARIABLES, 'fish')).toBe(
    String.raw`set -gx A 'it\'s \\\'$(id)';` + '\nset -eg B; or true;\n',
  )
})

test('powershell: every character that it takes for a single quote is doubled', () => {
  expect(assignments([...VARIABLES, ['C', '‘’‚‛"“']], 'powershell')).toBe(
    String.raw`$env:A = 'it''s \''$(id)'` + "\n$env:B = $null\n$env:C = '‘‘’’‚‚‛‛\"“'\n",
  )
})

test('these are all', () => {
  expect(SHELLS).toEqual(['sh', 'fish', 'powershell'])
})
