import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { commandTree } from '../man/command-tree.ts'
import { argument, escape, list, literal, macro, prose } from '../man/mdoc.ts'
import { manualPage } from '../man/page.ts'
import { ENVIRONMENT, FILES } from '../man/tables.ts'
import { EXIT_CODES } from '../src/core/exit-code.ts'
import { available } from './support/shell.ts'

const ROOT = join(import.meta.dirname, '..')
const page = manualPage(commandTree(), new Date('2026-11-02T23:30:00Z'))

test('a command becomes this page', () => {
  const root = new Command('tool').description('A tool for tests.').option('-q, --quiet', 'say less')
  root.command('hidden', { hidden: true }).description('Not to be seen')
  root
    .command('do <what> [more...]')
    .description('Do it')
    .option('--in <folder>', "where it's done")
    .addHelpText('after', '\nExample:\n  tool do .this\n\nNames: a, b')
  const [, commands = ''] =
    /\n(\.Sh COMMANDS\n[^]*?)\.Sh ENVIRONMENT/.exec(manualPage(root, new Date(0))) ?? []
  expect(manualPage(root, new Date(0))).toMatch(
    /^\.Dd January 1, 1970\n\.Dt TOOL 1\n\.Os\n\.hlm 0\n\.Sh NAME\n\.Nm tool\n\.Nd "a tool for tests"\n/,
  )
  expect(commands).toBe(String.raw`.Sh COMMANDS
.Ss do WHAT MORE
Do it.
.Bl -tag -width Ds
.It Fl \-in Ar folder
Where it\(aqs done.
.El
.Pp
Example:
.Bd -literal -offset indent
tool do .this
.Ed
.Pp
Names: a, b
.Sh GLOBAL OPTIONS
Each command takes these as well.
.Bl -tag -width Ds
.It Fl q , Fl \-quiet
Say less.
.It Fl h , Fl \-help
Display help for command.
.El
`)
})

/** Every command with the words that lead to it, as its help shows them. */
function everyCommand(command: Command, path: readonly string[] = []): [string, Command][] {
  const shown = command.createHelp().visibleCommands(command)
  return shown
    .filter((below) => command.commands.includes(below))
    .flatMap((below) => {
      const words = [...path, below.name()]
      return [[words.join(' '), below] as [string, Command], ...everyCommand(below, words)]
    })
}

describe('the page of the program', () => {
  test('has every command with all of its flags, as --help does', () => {
    const sections = page.split('\n.Ss ').slice(1)
    const heads = sections.map((section) => section.split('\n')[0]?.replaceAll(/ [A-Z]+/g, '') ?? '')
    const commands = everyCommand(commandTree())
    expect(heads).toEqual(commands.map(([words]) => words))
    const flags = sections.map(
      (section) => [...(section.split('\n.Sh ')[0]?.matchAll(/^\.It .*/gm) ?? [])].length,
    )
    expect(flags).toEqual(
      commands.map(([, command]) => command.options.filter(({ hidden }) => !hidden).length),
    )
    expect(page).not.toContain('__complete')
  })

  test('has its sections in the order of manual pages', () => {
    expect([...page.matchAll(/^\.Sh (.*)$/gm)].map(([, name]) => name)).toEqual([
      'NAME',
      'SYNOPSIS',
      'DESCRIPTION',
      'COMMANDS',
      'GLOBAL OPTIONS',
      'ENVIRONMENT',
      'FILES',
      'EXIT STATUS',
    ])
    expect(page).toMatch(/^\.Dd November 2, 2026\n\.Dt CODEX-AUTH 1\n/)
  })

  test('is well formed: known macros, lists and displays that end, nothing but ASCII', () => {
    const macros = new Set([...page.matchAll(/^\.(\S+)/gm)].map(([, name = '']) => name))
    const known = 'Dd Dt Os hlm Sh Nm Nd Op Ar Pp Ss Bl It El Bd Ed'.split(' ')
    expect([...macros].toSorted()).toEqual(known.toSorted())
    const count = (name: string): number => page.split(`\n.${name}`).length
    expect([count('Bl'), count('Bd')]).toEqual([count('El'), count('Ed')])
    expect(page).toMatch(/^[\n -~]*\n$/)
    expect(page.match(/^'|\n\n/m)).toBeNull()
  })

  test.runIf(available(['mandoc']).length > 0)('gives mandoc nothing to remark', () => {
    const { stdout, status } = spawnSync('mandoc', ['-Tlint'], { input: page, encoding: 'utf8' })
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  })

  test('says what every exit code means', () => {
    const [, section = ''] = page.split('.Sh EXIT STATUS\n')
    const said = [...section.matchAll(/^\.It (\d+) Pq (\S+)\n[A-Z]/gm)].map(
      ([, code, name]) => [name, Number(code)] as const,
    )
    expect(Object.fromEntries(said)).toEqual(EXIT_CODES)
  })
})

function names(rows: typeof FILES): string[] {
  return rows.flatMap((row) => row.names).toSorted()
}

describe('the tables', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

  /** What stands in code in this column of the section's table. */
  function inReadme(section: string, column: number): string[] {
    const [, text = ''] = readme.split(`\n## ${section}\n`)
    const rows =
      text
        .split('\n## ')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| ')) ?? []
    const cells = rows.map((row) => row.split(/(?<!\\)\|/)[column] ?? '')
    return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
  }

  test('name the variables that the README names', () => {
    const named = inReadme('Environment', 1).map((name) => name.replace(/=.*/, ''))
    expect(names(ENVIRONMENT)).toEqual(named.toSorted())
  })

  test('name every variable of ours that the program knows', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    const sources = files
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
    const known = new Set(sources.flatMap((source) => source.match(/\bCODEX_[A-Z_]*[A-Z]\b/g) ?? []))
    // This one is only kept from the commands that exec runs.
    known.delete('CODEX_AUTH_PASSPHRASE')
    expect(names(ENVIRONMENT)).toEqual(expect.arrayContaining([...known]))
  })

  test('name the files that the README names', () => {
    const named = inReadme('Files', 2).filter((name) => !name.startsWith('codex-auth '))
    expect(names(FILES)).toEqual(named.toSorted())
  })
})

describe('what stands in a page', () => {
  test.each([
    [String.raw`C:\new --flag it's …`, String.raw`C:\enew \-\-flag it\(aqs \[u2026]`],
    ['🔑', String.raw`\[u1F511]`],
  ])('is read as it is written: %s', (text, escaped) => {
    expect(escape(text)).toBe(escaped)
  })

  test('begins each sentence on a line, and each line as text', () => {
    expect(prose('One, e.g. this. Two? .Three')).toBe('One, e.g. this.\nTwo? .Three')
    expect(prose('.dot')).toBe(String.raw`\&.dot`)
    const long = prose(`${'word '.repeat(15)}.conf and more`)
    expect(long).toBe(`${'word '.repeat(15)}.conf\nand more`)
    expect(prose(`${'words '.repeat(13)}.conf`).split('\n')[1]).toBe(String.raw`\&.conf`)
  })

  test('is one argument, and no macro', () => {
    expect(['Ar', '.', '"a b"', 'plain'].map(argument)).toEqual([
      String.raw`\&Ar`,
      String.raw`\&.`,
      String.raw`"\(dqa b\(dq"`,
      'plain',
    ])
    expect(macro('Nd', 'a b', 'c')).toBe('.Nd "a b" c')
  })

  test('is a command that a shell reads, however long', () => {
    const line = `tool ${'--flag value '.repeat(12).trim()}`
    const shown = literal([line]).split('\n').slice(1, -1)
    expect(Math.max(...shown.map((each) => each.replaceAll(String.raw`\-`, '-').length))).toBeLessThanOrEqual(
      72,
    )
    const typed = shown
      .join('\n')
      .replaceAll(String.raw`\-`, '-')
      .replaceAll(String.raw`\e`, '\\')
    expect(typed.replaceAll(/ \\\n +/g, ' ')).toBe(line)
  })

  test('is nothing where there is nothing to list', () => {
    expect(list([])).toBe('')
  })
})
