import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PROGRAM } from '../test/support/cli.ts'
import { terminalPage } from './page.ts'

writeFileSync(join(dirname(PROGRAM), '../docs/terminal.md'), await terminalPage())
