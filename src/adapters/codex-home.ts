import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AuthError } from '../errors.ts'
import type { CodexHome, HeldCodexFile } from '../core/codex-home.ts'
import { baseAddress } from '../core/safe-address.ts'
import { incompleteness, readText, replaceableFile, replaceText, unreadable } from './codex/auth-file.ts'
import { codexStorage } from './codex/configuration.ts'
import { pause, takeLock } from './codex/flock.ts'
import { codexFolder } from './codex/folder.ts'
import { runningCodex } from './codex/running.ts'
import type { Environment } from './root-folder.ts'
import { writing } from './store/durable-file.ts'

export interface CodexHomeOptions {
  /** `undefined`: the one that Codex itself would use. */
  readonly folder: string | undefined
  readonly env: Environment
  /** Seconds to wait for Codex's locks. */
  readonly lockWait: number
  readonly interruption: AbortSignal
}

/** Milliseconds between two looks at what somebody else is doing. */
const PAUSE = 100
/** Looks at a file that is being written: a second in all. */
const LOOKS = 10

/** Codex's own folder and login file. @throws {AuthError} `usage` for a folder or an address in the environment that cannot be used. */
export function codexHome(options: CodexHomeOptions): CodexHome {
  const { env, interruption } = options
  const folder = codexFolder(options.folder, env)
  const path = join(folder, 'auth.json')
  const read = (): Promise<string | undefined> => readWhole(path, interruption)
  return {
    path,
    read,
    storage: () => codexStorage(join(folder, 'config.toml')),
    overrides: {
      issuer: overriddenIssuer(env['CODEX_REFRESH_TOKEN_URL_OVERRIDE']),
      clientId: env['CODEX_APP_SERVER_LOGIN_CLIENT_ID'] || undefined,
    },
    patience: options.lockWait,
    running: () => runningCodex(folder),
    pause: () => pause(PAUSE, interruption),
    exclusively: (work) => exclusively(folder, path, options, work),
  }
}

async function readWhole(path: string, signal: AbortSignal): Promise<string | undefined> {
  for (let looks = 1; ; looks++) {
    const text = readText(path)
    const lack = text === undefined ? undefined : incompleteness(text)
    if (lack === undefined) return text
    if (looks === LOOKS) throw unreadable(path, lack)
    await pause(PAUSE, signal)
  }
}

/** Codex's own order: `auth.lock` for the whole change, the file's own lock for the moment of the replacement. */
async function exclusively<T>(
  folder: string,
  path: string,
  { lockWait, interruption }: CodexHomeOptions,
  work: (held: HeldCodexFile) => Promise<T>,
): Promise<T> {
  const wait = { deadline: Date.now() + lockWait * 1000, signal: interruption }
  writing(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  replaceableFile(path)
  const release = await takeLock(join(folder, 'auth.lock'), 0o666, wait)
  try {
    return await work({
      read: () => readWhole(path, interruption),
      replace: async (before, after) => {
        const target = replaceableFile(path)
        const releaseFile = await takeLock(`${target}.lock`, 0o600, wait)
        try {
          if (readText(target) !== before) return false
          replaceText(target, after)
          return true
        } finally {
          releaseFile()
        }
      },
    })
  } finally {
    release()
  }
}

/** Codex takes the whole address of the token endpoint; its issuer is what stands before OpenAI's path. */
function overriddenIssuer(address: string | undefined): string | undefined {
  if (!address) return undefined
  const issuer = address.endsWith('/oauth/token')
    ? baseAddress(address.slice(0, -'/oauth/token'.length))
    : undefined
  if (issuer !== undefined) return issuer
  throw new AuthError(
    'usage',
    'CODEX_REFRESH_TOKEN_URL_OVERRIDE names no address that ends in /oauth/token.',
    {
      nextStep:
        'unset CODEX_REFRESH_TOKEN_URL_OVERRIDE, or write it as in https://auth.example.com/oauth/token',
    },
  )
}
