import { AuthError, type ErrorCode } from '../errors.ts'

/** The names and numbers that scripts branch on. */
export const EXIT_CODES = {
  ok: 0,
  failure: 1,
  usage: 2,
  short_lived: 3,
  login_required: 4,
  provider_unavailable: 5,
  store_unreadable: 6,
  store_unwritable: 7,
  login_incomplete: 8,
  interaction_required: 9,
  command_not_executable: 126,
  command_not_found: 127,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitName = keyof typeof EXIT_CODES

interface Ending {
  readonly exit: ExitName
  /** What to do about it. `profile` is the flag that leads to the profile, with a leading space, or empty. */
  readonly nextStep: (profile: string) => string
}

const signIn = (profile: string): string => `codex-auth login${profile}`
const tryLater = (): string => 'try again in a moment; what is stored has not changed'
const login = (exit: ExitName): Ending => ({ exit, nextStep: signIn })
const later: Ending = { exit: 'provider_unavailable', nextStep: tryLater }

/** One row for each way to fail: how the program ends, and the one thing to do next. */
const ENDINGS: Record<ErrorCode, Ending> = {
  usage: { exit: 'usage', nextStep: () => 'codex-auth --help' },
  settings_corrupt: { exit: 'usage', nextStep: () => 'mend or remove the file: codex-auth config path' },
  short_lived: { exit: 'short_lived', nextStep: (profile) => `codex-auth refresh${profile}` },
  not_logged_in: login('login_required'),
  not_refreshable: login('login_required'),
  refresh_refused: login('login_required'),
  token_refused: {
    exit: 'login_required',
    nextStep: (profile) => `codex-auth refresh${profile}; if that is refused too: codex-auth login${profile}`,
  },
  no_api_key: {
    exit: 'login_required',
    nextStep: (profile) =>
      `use the access token (codex-auth token${profile}), or a key from https://platform.openai.com/api-keys`,
  },
  network: {
    exit: 'provider_unavailable',
    nextStep: () => 'check the network and try again; what is stored has not changed',
  },
  timeout: later,
  rate_limited: later,
  provider_failed: later,
  invalid_answer: {
    exit: 'provider_unavailable',
    nextStep: () => 'check for a proxy or captive portal and try again; what is stored has not changed',
  },
  not_verifiable: {
    exit: 'provider_unavailable',
    nextStep: () => 'leave out --verify; what is stored has not changed',
  },
  store_corrupt: login('store_unreadable'),
  store_newer: { exit: 'store_unreadable', nextStep: () => 'npm install -g codex-auth@latest' },
  store_insecure: { exit: 'store_unreadable', nextStep: (profile) => `codex-auth status${profile}` },
  store_rolled_back: login('store_unreadable'),
  foreign_machine: login('store_unreadable'),
  key_missing: login('store_unreadable'),
  key_mismatch: login('store_unreadable'),
  codex_unreadable: {
    exit: 'store_unreadable',
    nextStep: () => 'sign in to Codex again (codex login), and run the command again',
  },
  store_busy: { exit: 'store_unwritable', nextStep: () => 'wait for the other process, or end it' },
  store_unwritable: {
    exit: 'store_unwritable',
    nextStep: () => 'free the disk or mend the permissions, and try again',
  },
  login_denied: login('login_incomplete'),
  login_failed: login('login_incomplete'),
  login_timeout: login('login_incomplete'),
  no_redirect_port: login('login_incomplete'),
  wrong_account: login('login_incomplete'),
  taken_over: { exit: 'login_incomplete', nextStep: () => 'finish the other sign-in' },
  interaction_required: {
    exit: 'interaction_required',
    nextStep: (profile) => `codex-auth login --no-browser${profile}`,
  },
  command_not_executable: {
    exit: 'command_not_executable',
    nextStep: () => 'check that it is a program, and that you may run it',
  },
  command_not_found: {
    exit: 'command_not_found',
    nextStep: () => 'check its name, PATH, and the interpreter that its first line names',
  },
  interrupted: { exit: 'interrupted', nextStep: () => 'run the command again' },
  terminated: { exit: 'terminated', nextStep: () => 'run the command again' },
}

export function exitName(code: ErrorCode): ExitName {
  return ENDINGS[code].exit
}

/** A code that ends as this name says, for a failure that another process has put into words. `undefined`: no such name. */
export function codeEndingAs(name: unknown): ErrorCode | undefined {
  const codes = (Object.keys(ENDINGS) as ErrorCode[]).filter((code) => ENDINGS[code].exit === name)
  return codes.find((code) => code === name) ?? codes[0]
}

export function exitCode(name: ExitName): number {
  return EXIT_CODES[name]
}

/**
 * The one thing to do next, in the error's own words where it has some; its commands lead to the profile as well.
 * @param profile the flag that leads to the profile, as `profileFlag` gives it
 */
export function nextStep(error: AuthError, profile: string): string {
  const own = error.nextStep?.replaceAll(
    /\bcodex-auth (?:login|token|refresh|status|(?:import|export) codex)\b(?! --help)/g,
    `$&${profile}`,
  )
  return own ?? ENDINGS[error.code].nextStep(profile)
}

/** Failures that pass by themselves: a token that still lives is worth handing out in spite of them. */
export function isPassing(error: unknown): error is AuthError {
  if (!(error instanceof AuthError)) return false
  const exit = exitName(error.code)
  return exit === 'provider_unavailable' || exit === 'store_unwritable'
}
