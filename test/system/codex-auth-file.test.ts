import { expect, test } from 'vitest'
import { runCodex } from '../support/codex.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

test('the real Codex finds no login in an empty folder', async () => {
  const { exitCode, stdout, stderr } = await runCodex(['login', 'status'], { codexHome: temporaryFolder() })
  expect({ exitCode, stdout, said: stderr.trimEnd().split('\n').at(-1) }).toEqual({
    exitCode: 1,
    stdout: '',
    said: 'Not logged in',
  })
})
