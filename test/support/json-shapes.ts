import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Command } from 'commander'
import { commandTree } from '../../man/command-tree.ts'

type Schema = Readonly<Record<string, unknown>>

const FOLDER = join(import.meta.dirname, '../../schemas')

/** Every schema of the package, by its file's name without the ending. */
export const SHAPES: Readonly<Record<string, Schema>> = Object.fromEntries(
  readdirSync(FOLDER).map((file) => [
    file.replace(/\.json$/, ''),
    JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Schema,
  ]),
)

/** What is wrong with a value by a schema, as anybody would hold it: keys that are not named are allowed. */
export const faultsOf = validator(true, (name) => [SHAPES[name] ?? {}, { $ref: `${name}.json` }])

/** The same, but every key must be named: what the program prints is what the schemas promise. */
export const strictFaultsOf = validator(false, (name) => [
  closeBelow(SHAPES[name]) as Schema,
  { $ref: `${name}.json`, unevaluatedProperties: false },
])

function validator(strictTypes: boolean, schemasFor: (name: string) => readonly [Schema, Schema]) {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes })
  formats.default(ajv)
  for (const name of Object.keys(SHAPES)) {
    const [schema, whole] = schemasFor(name)
    ajv.addSchema(schema, `${name}.json`).addSchema(whole, name)
  }
  return (name: string, value: unknown): string[] => {
    const holds = ajv.getSchema(name)
    if (holds === undefined) return [`there is no schemas/${name}.json`]
    return holds(value) === true ? [] : (holds.errors ?? []).map(described)
  }
}

/** Without the value, which may be a token. */
function described({ instancePath, message, params }: ErrorObject): string {
  const key = 'unevaluatedProperty' in params ? ` (${String(params['unevaluatedProperty'])})` : ''
  return `${instancePath} ${message}${key}`
}

/** Closes whatever stands at a key or in a list. A schema that another builds on stays open: the whole is closed. */
function closeBelow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeBelow)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, below]): [string, unknown] => {
    if (key === 'items') return [key, closed(below)]
    if (key !== 'properties') return [key, closeBelow(below)]
    return [key, Object.fromEntries(Object.entries(below).map(([name, each]) => [name, closed(each)]))]
  })
  return Object.fromEntries(entries)
}

function closed(schema: unknown): unknown {
  const below = closeBelow(schema) as Schema
  const mayBeObject = ['$ref', 'anyOf', 'properties'].some((key) => key in below)
  return mayBeObject ? { ...below, unevaluatedProperties: false } : below
}

const TREE = commandTree()

/** The name of the schema for what this call prints when all goes well. */
export function shapeOf(argv: readonly string[]): string {
  const path: string[] = []
  let command: Command = TREE
  for (const word of argv) {
    const below = command.commands.find((each) => each.name() === word)
    if (below === undefined) continue
    path.push(word)
    command = below
  }
  return [...path, ...(argv.includes('--all') ? ['all'] : [])].join('-')
}

/** Calls that print something else for people, with `--json` or without. */
const PAPERS = /^(?:Usage: codex-auth |\d+\.\d+\.\d+\S*\n$)/

const INTERRUPTED = new Set([130, 143])

/** What another program prints is not ours; the answers for Tab are no JSON, and for no one but the scripts. */
export const WITHOUT_SHAPE = new Set(['exec', '__complete'])

/** Which shapes were printed so far. */
export const printedShapes = new Set<string>()

/**
 * Holds what a call with `--json` or `--events` printed against its schema, strictly.
 * @throws when it is no JSON, when there is no schema for it, or when it is another shape.
 */
export function holdAgainstSchema(argv: readonly string[], exitCode: number, stdout: string): void {
  const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)
  const isEvents = own.includes('--events')
  if (!isEvents && !own.includes('--json') && !own.join(' ').includes('--format json')) return
  if (PAPERS.test(stdout) || (stdout === '' && (isEvents || INTERRUPTED.has(exitCode)))) return
  if (WITHOUT_SHAPE.has(shapeOf(own)) && !stdout.startsWith('{"schema_version":1,"error"')) return
  for (const text of isEvents ? stdout.trimEnd().split('\n') : [stdout]) {
    const value = JSON.parse(text) as object
    const name = shapeName(own, value)
    const faults = strictFaultsOf(name, value)
    if (faults.length > 0)
      throw new Error(`codex-auth ${own.join(' ')} printed no ${name}:\n${faults.join('\n')}`)
    printedShapes.add(name)
  }
}

function shapeName(argv: readonly string[], value: object): string {
  if ('event' in value) return `${shapeOf(argv)}-events`
  return 'error' in value ? 'error' : shapeOf(argv)
}
