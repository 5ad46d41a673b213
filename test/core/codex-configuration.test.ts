import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseUrl } from '../../src/core/base-url.ts'
import { tomlOf } from '../../src/adapters/codex/toml.ts'
import type { Credential } from '../../src/core/credential.ts'
import { setUpCodex, undoCodex, type SetUpCodexPorts } from '../../src/core/set-up-codex.ts'
import type { TomlTable } from '../../src/core/toml-value.ts'
import { sampleCredential } from '../support/credentials.ts'
import { described } from '../support/thrown.ts'

const BOM = '\uFEFF'
const TABLE = `
# Written by codex-auth setup codex; taken out again by codex-auth setup codex --undo
[model_providers.codex-auth]
name = "codex-auth"
base_url = "https://chatgpt.com/backend-api/codex"
wire_api = "responses"
http_headers = { ChatGPT-Account-ID = "account-1" }
auth.command = "/usr/bin/codex-auth"
auth.args = ["token", "--profile", "default", "--timeout", "4s"]
auth.timeout_ms = 10000
`
const CHOICE = 'model_provider = "codex-auth" # codex-auth setup codex\n'

describe('where our lines go', () => {
  test.for([
    ['an empty file', '', CHOICE + TABLE],
    ['pairs only', 'model = "gpt-5"\n', `model = "gpt-5"\n${CHOICE}${TABLE}`],
    [
      'behind the last pair before the first table',
      'model = "gpt-5"\n\n# tools\n[tools]\nweb = true\n',
      `model = "gpt-5"\n${CHOICE}\n# tools\n[tools]\nweb = true\n${TABLE}`,
    ],
    [
      'before a first table with its comment',
      '#:schema https://example.com\n\n# tools\n# of mine\n[tools]\n',
      `#:schema https://example.com\n\n${CHOICE}# tools\n# of mine\n[tools]\n${TABLE}`,
    ],
    [
      'another choice is kept as a comment',
      'model_provider = "mine" # good\nmodel = "x"\n',
      `# codex-auth setup codex, before: model_provider = "mine" # good\n${CHOICE}model = "x"\n${TABLE}`,
    ],
    [
      'Windows line ends stay Windows line ends',
      'model = "x"\r\n[a]\r\n',
      `model = "x"\r\n${CHOICE}[a]\n${TABLE}`.replaceAll(/\r?\n/g, '\r\n'),
    ],
  ])('%s', ([, before = '', after = '']) => {
    expect(setUp(before)).toBe(after)
    expect(undo(after)).toBe(before)
  })

  test('a table of ours that a person wrote is kept as comments, and what they added goes on working', () => {
    const theirs =
      '[model_providers.codex-auth]\nname = "Mine"\nenv_key = "KEY"\nrequest_max_retries = 2 # few\nhttp_headers.X-Mine = "1"\n\n[model_providers.codex-auth.auth]\ncommand = "codex-auth"\ncwd = "/"\n[z]\n'
    const after = setUp(theirs)
    expect(after).toBe(
      `${CHOICE}# codex-auth setup codex keeps: [model_providers.codex-auth]
# codex-auth setup codex keeps: name = "Mine"
# codex-auth setup codex keeps: env_key = "KEY"
# codex-auth setup codex keeps: request_max_retries = 2 # few
# codex-auth setup codex keeps: http_headers.X-Mine = "1"

# codex-auth setup codex keeps: [model_providers.codex-auth.auth]
# codex-auth setup codex keeps: command = "codex-auth"
# codex-auth setup codex keeps: cwd = "/"
[z]

# Written by codex-auth setup codex; taken out again by codex-auth setup codex --undo
[model_providers.codex-auth]
name = "codex-auth"
base_url = "https://chatgpt.com/backend-api/codex"
wire_api = "responses"
http_headers = { X-Mine = "1", ChatGPT-Account-ID = "account-1" }
auth.command = "/usr/bin/codex-auth"
auth.cwd = "/"
auth.args = ["token", "--profile", "default", "--timeout", "4s"]
auth.timeout_ms = 10000
request_max_retries = 2
`,
    )
    expect(undo(after)).toBe(theirs)
  })
})

const NASTY: [string, string][] = [
  ['no line break at the end', 'model = "x"'],
  ['no line break after a choice', 'model_provider = "x"'],
  ['a comment without a line break', '# nothing'],
  ['blanks without a line break', 'a = 1\n \t '],
  ['a byte order mark', `${BOM}model = "x"\n`],
  ['a byte order mark alone', BOM],
  ['a byte order mark, Windows line ends, no line break at the end', `${BOM}a = 1\r\n[b]\r\nc = 2`],
  ['both kinds of line ends', 'a = 1\r\nb = 2\nc = """x\r\ny\n"""\r\n'],
  ['a choice inside a table only', '[profiles.x]\nmodel_provider = "x"\n'],
  [
    'a choice inside a string only',
    'a = """\nmodel_provider = "x"\n[model_providers.codex-auth]\n"""\n[b]\n',
  ],
  ['a choice inside a literal string only', "a = '''\nmodel_provider = 'x'\n# [z]'''\n[b]\n"],
  ['a choice in quotes', '"model_provider" = \'x\'\n'],
  ['a choice with escapes in its name', '"model\\u005fprovider" = "x"\n'],
  ['a choice over lines', 'model_provider = """\nx\n\ny"""\nb = 1\n'],
  ['a choice that is indented', '  model_provider   =   "x"   # why\n\ta = 1\n'],
  ['our own choice, made by hand', 'model_provider = "codex-auth"\n'],
  ['another provider in dotted keys', 'model_providers.other.name = "x"\nmodel = "y"\n[z]\n'],
  [
    'our provider in dotted keys',
    'model_providers.codex-auth.name = "x"\nmodel_providers.codex-auth.auth.command = "y"\n[z]\n',
  ],
  [
    'our provider below its parent table',
    '[model_providers]\nother = { name = "o" }\ncodex-auth = { name = "x" }\n[z]\n',
  ],
  [
    'our provider in quotes',
    '[ model_providers . \'codex-auth\' ] # ours\nname = "x"\n[ "model_providers".codex-auth.query_params]\nq = \'1\'\n',
  ],
  [
    'our provider between others',
    '[model_providers.a]\nname = "a"\n[model_providers.codex-auth]\nname = "x"\n\n# b is better\n[model_providers.b]\nname = "b"\n',
  ],
  ['arrays of tables', '[[notify]]\na = 1\n[[notify]]\na = 2\n[notify.more]\nb = [\n  1, # [x]\n  "]",\n]\n'],
  [
    'arrays and inline tables over lines',
    'a = [\n  "#", \'"\', # comment "\n  [ { b = "}" }, ],\n]\nc = { d = [ "]" ], e = \'}\' }\n[f]\n',
  ],
  ['quotes at the end of a long string', 'a = """x"""""\nb = \'\'\'y\'\'\'\'\'\nc = """\\""""\n[d]\n'],
  ['one quote more at the end of a long string', 'a = """x""""\nmodel_provider = "y"\n[b]\n'],
  ['escapes', 'a = "\\"\\\\" # "\nb = \'\\\'\nc = "[model_providers.codex-auth]"\n[d]\n'],
  [
    'dates, numbers and odd keys',
    '1979-05-27 = 1979-05-27T07:32:00Z\n"" = inf\n3.14 = -0.0\n\'a.b\' = 0xDEAD_beef\n',
  ],
  [
    'something that looks like our marks',
    'a = """\n# Written by codex-auth setup codex; taken out again by codex-auth setup codex --undo\n# codex-auth setup codex keeps: b = 1\n"""\n',
  ],
  ['an array of tables under our name', '[[model_providers.codex-auth]]\nname = "x"\n[model_providers.b]\n'],
  ['only blank lines', '\n\n\r\n'],
  ['every separator that JavaScript knows', "a = 'x\u2028y\u2029z\u0085'\nmodel_provider = '\u2028'\n"],
]

describe('what comes back', () => {
  test.for(NASTY)('%s: every other value stays, and undo gives back every byte', ([, before]) => {
    const after = setUp(before)
    expect(setUp(after)).toBe(after)
    expect(undo(after)).toBe(before)
  })

  test('any configuration', () => {
    fc.assert(
      fc.property(documents(), (before) => {
        const after = setUp(before)
        expect(setUp(after)).toBe(after)
        expect(undo(after)).toBe(before)
        expect(undo(setUp(after, { baseUrl: 'https://other.example/v1' }))).toBe(before)
      }),
      { numRuns: 500 },
    )
  })

  test('a file that was not there is gone again', () => {
    const file = new MemoryFile(undefined)
    expect(setUpCodex(PROVIDER, file).file).toBe('created')
    expect(undoCodex(file).file).toBe('removed')
    expect(file.text).toBe(undefined)
  })

  test('a file that was made by us and has got more stays with that', () => {
    const file = new MemoryFile(undefined)
    setUpCodex(PROVIDER, file)
    file.text += '\n[projects."/work"]\ntrust_level = "trusted"\n'
    undoCodex(file)
    expect(file.text).toBe('\n[projects."/work"]\ntrust_level = "trusted"\n')
  })

  test('what came behind our table since keeps the line break before it', () => {
    const after = setUp('a = 1')
    expect(undo(`${after}[b]\nc = 2\n`)).toBe('a = 1\n[b]\nc = 2\n')
  })

  test('a choice that a person has made since stays, and the one before it is forgotten', () => {
    const after = setUp('model_provider = "old"\n').replace(CHOICE, 'model_provider = "new"\n')
    expect(undo(after)).toBe('model_provider = "new"\n')
    const again = setUp(after)
    expect(again).toContain(`# codex-auth setup codex, before: model_provider = "new"\n${CHOICE}`)
    expect(undo(again)).toBe('model_provider = "new"\n')
  })

  test('a choice that a person has taken out stays out', () => {
    const after = setUp('a = 1\nmodel_provider = "old"\n').replace(CHOICE, '')
    expect(undo(after)).toBe('a = 1\n')
    expect(undo(setUp(after))).toBe('a = 1\n')
  })

  test('what a person has put into our table stays byte for byte when it is set up anew', () => {
    const added = 'request_max_retries  =  5 # few\n\n# slow\nstream_idle_timeout_ms = 1_000\n'
    const more = "\n[model_providers.codex-auth.query_params] # theirs\nq = '1'\n\n[z]\n"
    const first = setUp('model = "x"\n')
    const [head = '', tail = ''] = first.split('wire_api')
    const person = `${head}${added}wire_api${tail}${more}`
    const again = setUp(person.replace('"responses"', '"chat"'), { baseUrl: 'https://api.example.com/v1' })
    expect(again).toBe(
      `model = "x"\n${CHOICE}${TABLE.replace('https://chatgpt.com/backend-api/codex', 'https://api.example.com/v1')}${added}${more}`,
    )
    expect(undo(again)).toBe('model = "x"\n\n# slow\n\n\n[z]\n')
  })

  test('what a person has put between our lines does not keep them from being set up anew', () => {
    const person = setUp('a = 1').replace('wire_api', '\n# which\nwire_api')
    const again = setUp(person, { baseUrl: 'https://api.example.com/v1' })
    expect(undo(again)).toBe('a = 1\n\n# which\n')
  })

  test('with nothing of ours, undo changes nothing', () => {
    const file = new MemoryFile('[model_providers.codex-auth]\nname = "by hand"\n')
    expect(undoCodex(file)).toMatchObject({ changed: false, file: 'untouched' })
  })

  test('another address replaces ours, and undo still gives back the first file', () => {
    const before = 'model_provider = "old"\nmodel = "x"'
    const again = setUp(setUp(before), { baseUrl: 'https://api.example.com/v1' })
    expect(again).toContain('base_url = "https://api.example.com/v1"')
    expect(again.match(/before:/g)).toEqual(['before:'])
    expect(undo(again)).toBe(before)
  })
})

test('what a person has put behind a table that is kept as comments would get into it, so undo leaves all as it is', () => {
  const after = setUp('[a]\n[model_providers.codex-auth]\nname = "Mine"\n[b]\n')
  const person = after.replace('[b]\n', 'of_a = 1\n[b]\n')
  const file = new MemoryFile(person)
  expect(attempt(() => undoCodex(file))).toMatchObject({
    code: 'usage',
    nextStep:
      'take it out by hand: [model_providers.codex-auth], and "codex-auth setup codex keeps:" before what was there',
  })
  expect(file.text).toBe(person)
})

const BY_HAND = 'put it in by hand, each provider as a table of its own: codex-auth setup codex --print'

describe('what is refused, and left alone', () => {
  test.for([
    ['providers in one inline table', 'model_providers = { other = { name = "o" } }\n', BY_HAND],
    ['providers that are no table', 'model_providers = 1\n', BY_HAND],
    ['no TOML', 'a = 1\nb = "secret\n', 'mend line 2 of /c/config.toml, and try again'],
    ['a key twice', 'a = 1\n\na = 2\n', 'mend line 3 of /c/config.toml, and try again'],
  ])('%s', ([, before, nextStep]) => {
    const file = new MemoryFile(before)
    const error = attempt(() => setUpCodex(PROVIDER, file))
    expect(error).toMatchObject({ code: 'usage', nextStep })
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(file.text).toBe(before)
  })
})

describe('the parser has the last word', () => {
  test.each([
    ['another value would change', (found: TomlTable) => ({ ...found, model: 'other' })],
    ['another provider would go', ({ model }: TomlTable) => ({ model: model ?? '' })],
    ['our choice would not count', (found: TomlTable) => ({ ...found, model_provider: 'other' })],
  ])('%s: nothing is written', (_, change) => {
    const before = 'model = "x"\n[model_providers.other]\nname = "o"\n'
    const file = new MemoryFile(before)
    const { parse, same } = file.toml
    const toml = { same, parse: (text: string) => (text === before ? parse(text) : change(parse(text))) }
    const error = attempt(() => setUpCodex(PROVIDER, { configuration: file.configuration, toml }))
    expect(error).toMatchObject({ code: 'usage', nextStep: BY_HAND })
    expect(file.text).toBe(before)
  })

  test('and so it has when ours is taken out', () => {
    const after = setUp('model = "x"\n')
    const file = new MemoryFile(after)
    const { parse, same } = file.toml
    const toml = { same, parse: (text: string) => (text === after ? parse(text) : { model: 'other' }) }
    expect(attempt(() => undoCodex({ configuration: file.configuration, toml }))).toMatchObject({
      code: 'usage',
    })
    expect(file.text).toBe(after)
  })
})

test('profiles of Codex that name another provider are named', () => {
  const file = new MemoryFile('[profiles.a]\nmodel_provider = "x"\n[profiles.b]\nmodel = "y"\n')
  expect(setUpCodex(PROVIDER, file).overriding).toEqual(['a'])
})

describe('the table', () => {
  test('an API key goes to the API, without an account', () => {
    const table = tableFor({ method: 'api_key' })
    expect(table).toContain('base_url = "https://api.openai.com/v1"\n')
    expect(table).not.toContain('http_headers')
  })

  test('a FedRAMP account says so', () => {
    expect(tableFor({}, true)).toContain(
      'http_headers = { ChatGPT-Account-ID = "account-1", X-OpenAI-Fedramp = "true" }\n',
    )
  })

  test('another provider needs an address', () => {
    const error = attempt(() => tableFor({ provider: 'oidc', method: 'oauth' }))
    expect(error).toMatchObject({ code: 'usage' })
  })
})

function tableFor(changes: Partial<Credential>, isFedRamp = false): string {
  const credential = sampleCredential(changes)
  return setUp('', { credential, isFedRamp, baseUrl: baseUrl(credential, {}) })
}

const PROVIDER = {
  credential: sampleCredential({
    account: { email: undefined, id: 'account-1', userId: undefined, plan: undefined },
  }),
  profile: 'default',
  command: { path: '/usr/bin/codex-auth', words: [] },
  baseUrl: 'https://chatgpt.com/backend-api/codex',
  isFedRamp: false,
}

class MemoryFile implements SetUpCodexPorts {
  readonly toml = tomlOf('/c/config.toml')
  text: string | undefined

  constructor(text: string | undefined) {
    this.text = text
  }

  readonly configuration = {
    path: '/c/config.toml',
    read: () => this.text,
    replace: (_: string | undefined, after: string | undefined) => void (this.text = after),
  }
}

function setUp(before: string, changes: Partial<Parameters<typeof setUpCodex>[0]> = {}): string {
  const file = new MemoryFile(before)
  setUpCodex({ ...PROVIDER, ...changes }, file)
  return file.text ?? ''
}

function undo(after: string): string | undefined {
  const file = new MemoryFile(after)
  undoCodex(file)
  return file.text
}

function attempt(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return { ...described(error), nextStep: (error as { nextStep?: string }).nextStep }
  }
  throw new Error('nothing was thrown')
}

/** Valid documents out of lines that are hard to tell apart, in any order that a parser accepts. */
function documents(): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.constantFrom(
      '1',
      'true',
      '"#"',
      "'\"'",
      '"""\n[a]\n"""',
      "'''\nmodel_provider = 1\n'''",
      '[\n1, # x\n]',
    ),
    fc.string().map((text) => JSON.stringify(text).replaceAll('\u007f', '')),
    fc.constantFrom('{ a = "}" }', '"\\\\"', '""', '"""\\""""', '1979-05-27', '[[1], ["]"]]'),
  )
  const key = fc.constantFrom(
    'a',
    'b',
    '"c"',
    'model',
    'd.e',
    "'f.g'",
    'model_provider',
    'model_providers.x.name',
  )
  const pair = fc
    .tuple(key, value, fc.constantFrom('', ' # x', '\t'))
    .map(([k, v, tail]) => `${k} = ${v}${tail}`)
  const header = fc.constantFrom(
    '[t]',
    '[ u . v ] # w',
    '[[s]]',
    '[model_providers.x]',
    '[model_providers]',
    '[model_providers.codex-auth]',
    '[model_providers."codex-auth".auth]',
    '["codex-auth"]',
    '[model_providers.codex-auth.query_params]',
  )
  const other = fc.constantFrom('', '  ', '# c', '# [x]', '#')
  const line = fc.oneof({ weight: 3, arbitrary: pair }, header, other)
  return fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean())
    .map(([lines, end, hasMark, hasEnd]) => {
      const text = lines.join('\n').replaceAll('\n', end)
      return (hasMark ? BOM : '') + text + (hasEnd ? end : '')
    })
    .filter(isToml)
}

function isToml(text: string): boolean {
  try {
    tomlOf('').parse(text)
    return true
  } catch {
    return false
  }
}
