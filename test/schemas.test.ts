import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandTree } from '../man/command-tree.ts'
import { EXIT_CODES } from '../src/core/exit-code.ts'
import { SETTING_NAMES } from '../src/core/settings.ts'
import { sampleCredential, secretsOf } from './support/credentials.ts'
import { temporaryHome, type Home } from './support/fake-surroundings.ts'
import {
  faultsOf,
  holdAgainstSchema,
  printedShapes,
  SHAPES,
  shapeOf,
  strictFaultsOf,
  WITHOUT_SHAPE,
} from './support/json-shapes.ts'

/** Every command that is not only a name for others, as its words. */
function leaves(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')]
  return command.commands.flatMap((below) => leaves(below, [...path, below.name()]))
}

test.each(leaves(commandTree()).filter((command) => !WITHOUT_SHAPE.has(command)))(
  'there is a schema for %s --json',
  (command) => {
    expect(Object.keys(SHAPES)).toContain(shapeOf(command.split(' ')))
  },
)

describe.each(Object.entries(SHAPES))('the schema %s', (_, schema) => {
  test('is one of draft 2020-12 that says what it is of', () => {
    const ajv = new Ajv2020()
    expect(ajv.validateSchema(schema)).toBe(true)
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' })
    expect(schema['title']).toMatch(/codex-auth/)
  })
})

/** Holds what a call would have printed. */
function held(value: object, ...argv: string[]): () => void {
  return () => holdAgainstSchema([...argv, '--json'], 0, JSON.stringify(value))
}

test("the schemas find one another by their files' names alone", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(Object.values(SHAPES))
  for (const name of Object.keys(SHAPES)) expect(ajv.getSchema(`${name}.json`)).toBeTypeOf('function')
})

describe('what the program prints', () => {
  let home: Home
  const credential = sampleCredential()
  const apiKey = sampleCredential({ method: 'api_key', refreshToken: undefined, expiresAt: undefined })

  beforeAll(async () => {
    home = temporaryHome()
    await home.keep(credential)
    await home.keep(apiKey, 'work')
    await home.keep(apiKey, 'spare')
  })

  afterAll(() => home.remove([credential, apiKey].flatMap(secretsOf)))

  /** Each is held against its schema as it runs, as every call of every test is. */
  const CALLS = [
    'status --json',
    'status --all --json',
    'profile list --json',
    'token --profile work --json',
    'login --profile work --if-needed --json',
    'setup codex --json',
    'setup codex --print --json',
    'setup codex --undo --json',
    'export codex --profile work --json',
    'import codex --profile work --json',
    'refresh --if-expiring 0 --json',
    'profile use spare --json',
    'profile remove spare --json',
    'logout --profile work --json',
    'logout --all --local-only --json',
    'config set scopes openid --json',
    'config get scopes --json',
    'config get issuer --json',
    'config list --json',
    'config unset scopes --json',
    'config path --json',
    'completion bash --json',
    'token --json',
  ]

  test('has a schema, and every schema is of something that it prints', async () => {
    const now = (credential.expiresAt ?? 0) - 3600
    const env = { CODEX_HOME: join(home.path, 'codex') }
    mkdirSync(env.CODEX_HOME)
    for (const call of CALLS) await home.run(call, { now, env })
    const promised = Object.keys(SHAPES).filter((name) => name !== 'login-events')
    expect([...printedShapes].toSorted()).toEqual(promised.toSorted())
  })

  test('is refused by the tests when it is anything else', async () => {
    const { stdout } = await home.run('status --profile nobody --json')
    const status = JSON.parse(stdout)
    expect(held(status, 'status')).not.toThrow()
    expect(held({ ...status, more: 1 }, 'status')).toThrow(' must NOT have unevaluated properties (more)')
    expect(held({ ...status, store: { ...status.store, more: 1 } }, 'status')).toThrow('/store must NOT')
    expect(held({ ...status, reason: undefined }, 'status')).toThrow("must have required property 'reason'")
    expect(held({ ...status, state: 'well' }, 'status')).toThrow('/state must be equal to one of')
    expect(held({ ...status, expires_at: 'soon' }, 'status')).toThrow('/expires_at must match format')
    expect(held({ profiles: [status] }, 'status', '--all')).toThrow("required property 'schema_version'")
    expect(held(status, 'fly')).toThrow('there is no schemas/.json')
    expect(() => holdAgainstSchema(['status', '--json'], 0, '')).toThrow('Unexpected end of JSON input')
  })

  test('may grow: what a schema does not name is allowed to whoever reads it', async () => {
    const { stdout } = await home.run('status --profile nobody --json')
    const status = JSON.parse(stdout)
    const grown = { ...status, more: 1, store: { ...status.store, more: 1 } }
    expect(faultsOf('status', grown)).toEqual([])
    expect(faultsOf('refresh', { ...grown, refreshed: true })).toEqual([])
    expect(faultsOf('status-all', { schema_version: 1, profiles: [grown], more: 1 })).toEqual([])
    expect(faultsOf('login-events', { schema_version: 1, event: 'moved', to: 'here' })).toEqual([])
    expect(faultsOf('status', { ...grown, usable: 'yes' })).toEqual(['/usable must be boolean,null'])
  })
})

test('the schemas name every exit and every setting there is', () => {
  expect(SHAPES['error']).toMatchObject({
    $defs: {
      error: { properties: { code: { enum: Object.keys(EXIT_CODES).filter((name) => name !== 'ok') } } },
    },
  })
  expect(SHAPES['config-list']).toMatchObject({
    properties: { settings: { required: SETTING_NAMES, $ref: '#/$defs/settings' } },
  })
})

describe('the events of a sign-in', () => {
  const error = {
    code: 'login_incomplete',
    exit_code: 8,
    message: 'It ended.',
    next_step: 'codex-auth login',
  }
  const expires_at = '2026-11-22T10:00:00Z'

  test.each([
    { event: 'authorization_url', url: 'https://auth.openai.com/oauth/authorize?state=x' },
    {
      event: 'device_code',
      verification_url: 'https://a.example',
      verification_url_complete: null,
      user_code: 'AB-CD',
      expires_at,
    },
    { event: 'waiting', method: 'browser', expires_at },
    { event: 'failed', error },
  ])('have a schema: $event', (fields) => {
    const line = { schema_version: 1, ...fields }
    expect(strictFaultsOf('login-events', line)).toEqual([])
    expect(strictFaultsOf('login-events', { ...line, more: 1 })).not.toEqual([])
    expect(strictFaultsOf('login-events', { ...line, event: 'signed_in' })).not.toEqual([])
  })
})
