import { AuthError } from '../errors.ts'
import { withoutProvider, withProvider, withProviderRenewed } from './codex-configuration.ts'
import { codexProvider, PROVIDER_ID, withAdditions, type CodexProvider } from './codex-provider.ts'
import { tableIn, type Toml, type TomlTable, type TomlValue } from './toml-value.ts'

/** Codex's configuration file. */
export interface CodexConfiguration {
  readonly path: string
  /** `undefined`: there is none. @throws {AuthError} `usage` when it cannot be read as text. */
  read(): string | undefined
  /**
   * Replaces the file whole, or removes it for `undefined`, unless it is not what {@link read} gave any more. A new one is for its
   * owner only. @throws {AuthError} `store_unwritable`, and then the file is as it was.
   */
  replace(before: string | undefined, after: string | undefined): void
}

export interface SetUpCodexPorts {
  readonly configuration: CodexConfiguration
  readonly toml: Toml
}

export interface CodexChange {
  readonly path: string
  /** `false`: everything was as it should be, and nothing was written. */
  readonly changed: boolean
  readonly file: 'created' | 'edited' | 'removed' | 'untouched'
  /** The provider that Codex had been told to use, and now. `undefined`: its own. */
  readonly providerBefore: string | undefined
  readonly providerAfter: string | undefined
  /** Codex profiles that name another provider, which wins while they are in use. */
  readonly overriding: readonly string[]
}

/**
 * Makes Codex fetch its token from us: puts our provider into its configuration and chooses it. Twice changes nothing.
 * @throws {AuthError} `usage` for a file that is not valid TOML, or cannot be edited without touching what is not ours.
 */
export function setUpCodex(provider: CodexProvider, { configuration, toml }: SetUpCodexPorts): CodexChange {
  const wanted = codexProvider(provider)
  const before = configuration.read()
  const found = toml.parse(before ?? '')
  const present = tableIn(tableIn(found, 'model_providers'), PROVIDER_ID)
  const table = withAdditions(wanted, present)
  const isThere = toml.same(present, table) && found['model_provider'] === PROVIDER_ID
  if (isThere) return changeOf(configuration.path, before, before, toml)
  const after = edited(before, table)
  prove(
    { before, after, undone: before === undefined ? undefined : withoutProvider(before) },
    table,
    configuration.path,
    toml,
  )
  configuration.replace(before, after)
  return changeOf(configuration.path, before, after, toml)
}

function edited(before: string | undefined, table: TomlTable): string {
  if (before === undefined) return withProvider(undefined, table)
  return withProviderRenewed(before, table) ?? withProvider(withoutProvider(before), table)
}

/**
 * Takes out what {@link setUpCodex} put in, and puts back what it had set aside.
 * @throws {AuthError} `usage` for a file that is not valid TOML, or whose other parts would change.
 */
export function undoCodex({ configuration, toml }: SetUpCodexPorts): CodexChange {
  const before = configuration.read()
  const found = toml.parse(before ?? '')
  const after = before === undefined ? undefined : withoutProvider(before)
  if (!toml.same(others(parsed(after ?? '', toml)), others(found)))
    throw notSafely(configuration.path, OUT_BY_HAND)
  if (after !== before) configuration.replace(before, after)
  return changeOf(configuration.path, before, after, toml)
}

interface Texts {
  readonly before: string | undefined
  readonly after: string
  /** The text before without anything of ours. */
  readonly undone: string | undefined
}

/** The scanner is not believed: a parser finds our table, and everything else as it was; and the way back is tried. */
function prove({ before, after, undone }: Texts, table: TomlTable, path: string, toml: Toml): void {
  const found = parsed(after, toml)
  const isRight =
    found !== undefined &&
    found['model_provider'] === PROVIDER_ID &&
    toml.same(tableIn(tableIn(found, 'model_providers'), PROVIDER_ID), table) &&
    toml.same(others(found), others(toml.parse(before ?? ''))) &&
    withoutProvider(after) === undone
  if (!isRight) throw notSafely(path, IN_BY_HAND)
}

function parsed(text: string, toml: Toml): TomlTable | undefined {
  try {
    return toml.parse(text)
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}

/** Everything that is not ours to change. */
function others(found: TomlTable | undefined): TomlTable | undefined {
  if (found === undefined) return undefined
  const { model_provider: _choice, model_providers: _providers, ...rest } = found
  const providers = tableIn(found, 'model_providers')
  // What is no table is a mistake that is not ours.
  if (providers === undefined && found['model_providers'] !== undefined) return found
  const { [PROVIDER_ID]: _ours, ...theirs } = providers ?? {}
  return Object.keys(theirs).length === 0 ? rest : { ...rest, model_providers: theirs }
}

const IN_BY_HAND = 'put it in by hand, each provider as a table of its own: codex-auth setup codex --print'
const OUT_BY_HAND =
  'take it out by hand: [model_providers.codex-auth], and "codex-auth setup codex keeps:" before what was there'

function notSafely(path: string, nextStep: string): AuthError {
  return new AuthError(
    'usage',
    `${path} cannot be edited without touching what is not ours; it stays as it is.`,
    { nextStep },
  )
}

function changeOf(
  path: string,
  before: string | undefined,
  after: string | undefined,
  toml: Toml,
): CodexChange {
  const [old, now] = [toml.parse(before ?? ''), toml.parse(after ?? '')]
  return {
    path,
    changed: before !== after,
    file: fileChange(before, after),
    providerBefore: stringIn(old['model_provider']),
    providerAfter: stringIn(now['model_provider']),
    overriding: overriding(now),
  }
}

function fileChange(before: string | undefined, after: string | undefined): CodexChange['file'] {
  if (before === after) return 'untouched'
  if (before === undefined) return 'created'
  return after === undefined ? 'removed' : 'edited'
}

function overriding(found: TomlTable): string[] {
  const profiles = tableIn(found, 'profiles') ?? {}
  return Object.keys(profiles).filter((name) => {
    const provider = tableIn(profiles, name)?.['model_provider']
    return provider !== undefined && provider !== PROVIDER_ID
  })
}

function stringIn(value: TomlValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
