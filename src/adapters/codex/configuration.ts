import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { AuthError } from '../../errors.ts'
import type { CodexStorage } from '../../core/codex-home.ts'

const KINDS: readonly CodexStorage[] = ['file', 'auto', 'keyring', 'ephemeral']
const NAME = 'cli_auth_credentials_store'

/**
 * Where this configuration of Codex tells it to keep its login. No file: `file`, as for Codex.
 * @throws {AuthError} `codex_unreadable` for what Codex does not start with.
 */
export function codexStorage(path: string): CodexStorage {
  const text = contentOf(path)
  const value = text === undefined ? undefined : (tables(text, path)[NAME] ?? undefined)
  if (value === undefined) return 'file'
  const kind = KINDS.find((each) => each === value)
  if (kind === undefined) throw unreadable(path, `has a ${NAME} that is none of ${KINDS.join(', ')}`)
  return kind
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ENOENT') return undefined
    throw unreadable(path, `cannot be read (${code})`)
  }
}

function tables(text: string, path: string): Record<string, unknown> {
  try {
    // As Codex takes them: numbers of 64 bits, which this parser refuses as `number`.
    return parse(text, { integersAsBigInt: true })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // Its own message shows the lines around, which may hold keys.
    throw unreadable(path, `is no TOML at line ${error.line}`)
  }
}

function unreadable(path: string, what: string): AuthError {
  return new AuthError('codex_unreadable', `Codex's configuration ${path} ${what}.`, {
    nextStep: `mend ${path}`,
  })
}
