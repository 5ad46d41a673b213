import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandTree } from './command-tree.ts'
import { manualPage } from './page.ts'

// Where a build is to be repeated to the byte, this says when it was (reproducible-builds.org).
const seconds = process.env['SOURCE_DATE_EPOCH']
const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000)
const folder = join(import.meta.dirname, '../dist/man')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'codex-auth.1'), manualPage(commandTree(), date))
