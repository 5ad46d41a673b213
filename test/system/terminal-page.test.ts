import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { terminalPage } from '../../captures/page.ts'

test('docs/terminal.md shows what a terminal shows; `npm run captures` writes it anew', async () => {
  const kept = readFileSync(join(import.meta.dirname, '../../docs/terminal.md'), 'utf8')
  expect(await terminalPage()).toBe(kept)
})
