import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runningCodex } from '../../../src/adapters/codex/running.ts'
import { idleCodex } from '../../support/codex-process.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'

test.runIf(process.platform === 'linux')(
  'a Codex is found by the folder that it uses, by any name',
  async () => {
    const person = temporaryFolder()
    const folder = join(person, '.codex')
    mkdirSync(folder)
    const link = join(person, 'link')
    symlinkSync(folder, link)
    const named = await idleCodex({ CODEX_HOME: link })
    const found = { pid: named.pid, command: 'codex', since: undefined }
    expect([await runningCodex(folder), await runningCodex(link)]).toEqual([found, found])
    expect(await runningCodex(temporaryFolder())).toBeUndefined()
    await named.end()
    expect(await runningCodex(folder)).toBeUndefined()
    const usual = await idleCodex({ HOME: person, CODEX_HOME: '' })
    expect(await runningCodex(folder)).toEqual({ ...found, pid: usual.pid })
  },
)
