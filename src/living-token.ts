import { join } from 'node:path'
import { AuthError } from './errors.ts'
import { rootFromEnvironment, type Environment } from './adapters/root-folder.ts'
import { readSettings } from './adapters/settings.ts'
import { readSealedFile } from './adapters/store/sealed-file.ts'
import { parseDuration } from './core/duration.ts'
import { EXPIRING, isUsableAsIs } from './core/lifetime.ts'
import { chooseProfile } from './core/profile-name.ts'

interface Call {
  profile?: string
  minTtl: number
}

/**
 * The answer to `codex-auth token` when the stored token lives long enough: no network, no lock, no write, and none
 * of the packages the commands are made of. `undefined` for every other call and every other state; the command
 * line then does the same work again and says what there is to say.
 * @param now epoch seconds.
 */
export function livingToken(argv: readonly string[], env: Environment, now: number): string | undefined {
  if (argv[0] !== 'token' || env['CODEX_AUTH_TOKEN'] || env['CODEX_AUTH_DEBUG']) return undefined
  try {
    const call = parseCall(argv.slice(1))
    const root = rootFromEnvironment(env)
    if (call === undefined || root === undefined) return undefined
    const profile = chooseProfile(call.profile, env, readSettings(join(root, 'config.json')))
    const stored = readSealedFile(root, profile)
    return stored && isUsableAsIs(stored.credential, now, call.minTtl)
      ? stored.credential.accessToken
      : undefined
  } catch (error) {
    if (error instanceof AuthError) return undefined
    throw error
  }
}

/** Understands only what needs no help, no errors and no other output. */
function parseCall(words: readonly string[]): Call | undefined {
  const call: Call = { minTtl: EXPIRING }
  for (let at = 0; at < words.length; at++) {
    const [word, next] = [words[at], words[at + 1]]
    if (word === '--no-refresh' || word === '--quiet' || word === '--no-input' || word === '--no-color')
      continue
    if (next === undefined) return undefined
    if (word === '--profile') call.profile = next
    else if (word === '--min-ttl') call.minTtl = parseDuration(next)
    // There is an answer at once, or the command line keeps to it.
    else if (word === '--timeout') parseDuration(next)
    else return undefined
    at++
  }
  return call
}
