import type { ExitName } from '../src/core/exit-code.ts'

/** What each exit code says, in one line. */
export const EXIT_MEANINGS: Readonly<Record<ExitName, string>> = {
  ok: 'Done. For status: token is expected to work.',
  failure: 'Something unforeseen; a bug.',
  usage: 'Wrong flags or arguments, or a damaged settings file.',
  short_lived: 'It works, but lives shorter than --min-ttl asked.',
  login_required:
    'Nothing is stored, or the provider will not renew it, or it refuses the token (--verify) or the API key: a person has to run codex-auth login.',
  provider_unavailable:
    'The network, a proxy, TLS, or an answer that is no answer, or none to --verify. What is stored has not changed; try again later.',
  store_unreadable:
    'What is stored is damaged, sealed with another key, open to others, from another machine, or written by a newer version. It is kept.',
  store_unwritable: 'The disk is full or read-only, or the lock was not had in time.',
  login_incomplete: 'The sign-in was denied, was of another account, or took too long.',
  interaction_required: 'A person is needed, and there is no terminal, or --no-input.',
  command_not_executable: 'With exec: the command is no program, or may not be run.',
  command_not_found: 'With exec: there is no such command.',
  interrupted: 'Ended by SIGINT.',
  terminated: 'Ended by SIGTERM.',
}

export interface Row {
  /** Variables or paths that have one meaning. */
  readonly names: readonly string[]
  readonly meaning: string
}

export const ENVIRONMENT: readonly Row[] = [
  { names: ['CODEX_AUTH_HOME'], meaning: 'The folder of everything.' },
  { names: ['CODEX_AUTH_PROFILE'], meaning: 'The profile, where --profile does not name one.' },
  {
    names: ['CODEX_AUTH_TOKEN'],
    meaning: 'An access token or API key that wins over the store.',
  },
  { names: ['CODEX_AUTH_KEY_SOURCE'], meaning: 'Where the key of the store comes from: file.' },
  {
    names: ['CODEX_AUTH_ACCOUNT_ID', 'CODEX_AUTH_EXPIRES_AT'],
    meaning: 'Set for the command that exec runs, beside OPENAI_API_KEY and OPENAI_BASE_URL.',
  },
  { names: ['CODEX_HOME'], meaning: 'Where Codex keeps its files; without it ~/.codex.' },
  {
    names: ['CODEX_REFRESH_TOKEN_URL_OVERRIDE', 'CODEX_APP_SERVER_LOGIN_CLIENT_ID'],
    meaning: 'Where, and as which client, Codex renews its login: followed by import codex.',
  },
  { names: ['CODEX_AUTH_DEBUG'], meaning: 'Set to 1: as --debug.' },
  { names: ['CI'], meaning: 'No browser is opened and nobody is asked, unless a flag says so.' },
  {
    names: ['BROWSER'],
    meaning:
      'What opens the address: a list of commands separated by ":" (";" on Windows), each with arguments and %s; or none.',
  },
  {
    names: ['HTTPS_PROXY', 'ALL_PROXY'],
    meaning:
      'The proxy for every request to an https address, as in http://user:password@host:port; the first wins, and lower case over upper.',
  },
  {
    names: ['NO_PROXY'],
    meaning:
      'What is reached without the proxy: *, domains with all below them, addresses, and ranges such as 10.0.0.0/8, each with or without a port.',
  },
  {
    names: ['HTTP_PROXY', 'ALL_PROXY'],
    meaning:
      'The proxy for plain http, which is spoken on this machine only: one on this machine as well, that connects to the port of the issuer. Any other is passed over.',
  },
  {
    names: ['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE'],
    meaning:
      'A PEM file of certificate authorities to trust besides those of Node.js and of the system; the first wins.',
  },
  { names: ['NODE_EXTRA_CA_CERTS'], meaning: 'One more such file, as for any Node.js program.' },
  { names: ['NO_COLOR'], meaning: 'No colours.' },
  {
    names: ['TERM'],
    meaning: 'With dumb, no line counts down; one is only shown on a terminal that can write over it.',
  },
]

/** In the folder of everything. */
export const FILES: readonly Row[] = [
  { names: ['profiles/<name>.cred'], meaning: 'The credential, sealed.' },
  { names: ['profiles/<name>.generation'], meaning: 'The number of its last write.' },
  { names: ['profiles/<name>.lock'], meaning: 'Its lock, while a process holds it.' },
  { names: ['profiles/<name>.login'], meaning: 'A sign-in that waits.' },
  {
    names: ['profiles/<name>.turn'],
    meaning: 'A call of token --timeout has its refresh under way.',
  },
  {
    names: ['profiles/<name>.cred.rescue'],
    meaning: "An answer that could not take its place; else in the system's temporary folder.",
  },
  {
    names: ['profiles/<name>.cred.damaged-<time>'],
    meaning: 'A file that could not be read, kept when somebody signs in again.',
  },
  { names: ['key'], meaning: 'The key.' },
  { names: ['config.json'], meaning: 'Settings; no secrets.' },
]
