import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type SecretKind =
  | 'access_token'
  | 'refresh_token'
  | 'id_token'
  | 'authorization_code'
  | 'code_verifier'
  | 'state'
  | 'nonce'
  | 'api_key'
  | 'other'

/** One secret found where it must not be. Says what kind and where, never the secret. */
export interface Leak {
  readonly kind: SecretKind
  readonly from: string
}

export interface LeakSearch {
  readonly secrets: number
  readonly outputs: number
  readonly leaks: readonly Leak[]
}

interface Secret {
  readonly kind: SecretKind
  readonly value: string
}

interface Output {
  readonly from: string
  readonly mayContain: readonly SecretKind[]
  readonly text: string
}

/** Secrets are looked for by their first and last characters, so that a shortened one is found as well. */
const PROBE = 16
/** The beginning of a JWT is the same for all of them. */
const SHARED_BEGINNING = /^eyJ/
/** These travel in the authorization address, which a person must be shown. */
const IN_ADDRESS: ReadonlySet<SecretKind> = new Set(['state', 'nonce'])

// A random name: worker threads of one process must not write to the same file.
const ownName = `${process.pid}-${randomUUID()}.jsonl`
const recorded = new Set<string>()

/**
 * Remembers a secret for {@link findLeaks}, in the folder that `CODEX_AUTH_TEST_SECRETS` names; without it, does
 * nothing. Values of fewer than 16 characters are left out: they would be found by chance.
 */
export function recordSecret(value: string, kind: SecretKind = 'other'): void {
  if (value.length < PROBE || recorded.has(value)) return
  if (append('secrets', { kind, value } satisfies Secret)) recorded.add(value)
}

/**
 * Remembers something that was printed or written, for {@link findLeaks}. `from` says what it is; `mayContain` is for
 * the few outputs whose purpose is a secret, such as what `token` prints.
 */
export function recordOutput(text: string, from: string, mayContain: readonly SecretKind[] = []): void {
  if (text !== '') append('outputs', { from, mayContain, text } satisfies Output)
}

/** Looks for every recorded secret in every recorded output, of all processes that shared the folder. */
export function findLeaks(folder: string): LeakSearch {
  const secrets: Secret[] = linesOf(folder, 'secrets').map((line) => JSON.parse(line))
  const outputs: Output[] = linesOf(folder, 'outputs').map((line) => JSON.parse(line))
  const probes = new Map(secrets.flatMap(({ kind, value }) => probesOf(value).map((probe) => [probe, kind])))
  const leaks = new Map<string, Leak>()
  for (const output of outputs) {
    for (const kind of kindsIn(output, probes)) {
      leaks.set(`${kind} ${output.from}`, { kind, from: output.from })
    }
  }
  return { secrets: secrets.length, outputs: outputs.length, leaks: [...leaks.values()] }
}

function kindsIn({ text, mayContain }: Output, probes: ReadonlyMap<string, SecretKind>): Set<SecretKind> {
  const found = new Set<SecretKind>()
  for (let at = 0; at + PROBE <= text.length; at++) {
    const kind = probes.get(text.slice(at, at + PROBE))
    if (kind === undefined || mayContain.includes(kind)) continue
    if (IN_ADDRESS.has(kind) && wordAt(text, at).includes('code_challenge=')) continue
    found.add(kind)
  }
  return found
}

function probesOf(value: string): string[] {
  return [
    ...new Set(
      [value, encodeURIComponent(value)].flatMap((form) => [form.slice(0, PROBE), form.slice(-PROBE)]),
    ),
  ].filter((probe) => !SHARED_BEGINNING.test(probe))
}

function wordAt(text: string, at: number): string {
  let start = at
  while (start > 0 && !isSpace(text[start - 1])) start--
  let end = at
  while (end < text.length && !isSpace(text[end])) end++
  return text.slice(start, end)
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character)
}

function append(name: string, entry: object): boolean {
  const folder = process.env['CODEX_AUTH_TEST_SECRETS']
  if (folder === undefined || folder === '') return false
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  appendFileSync(join(folder, `${name}-${ownName}`), `${JSON.stringify(entry)}\n`, { mode: 0o600 })
  return true
}

function linesOf(folder: string, name: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}-`))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'))
}
