import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { version } from '../../src/version.ts'
import { failed, failedInWords } from '../support/expected-output.ts'
import { temporaryHome, type Home } from '../support/fake-surroundings.ts'

let home: Home

beforeEach(() => {
  home = temporaryHome()
})

afterEach(() => home.remove([]))

const HELP = `Usage: codex-auth [options] [command]

One OAuth login, any number of processes, exactly one refresh.

Options:
  -V, --version       print the version
  --profile <name>    which login to use
  --json              print one JSON object
  --quiet             say nothing but results and errors
  --debug             print a redacted trace on stderr
  --no-color          no colours
  --no-input          never ask or open anything; end with 9 where a person is needed
  -h, --help          explain a command

Commands:
  login               Sign in and save the credential in the profile
  token               Print an access token, refreshing it first if it is about to expire
  exec                Run a command with an access token in its environment
  status              Say what is stored and whether it will work
  refresh             Refresh the access token now
  logout              Revoke the login at the provider and remove it here
  profile             Keep several logins side by side
  config              Read and change the settings
  setup               Make another program fetch its token from this one
  import              Take over another program's login
  export              Give a login to another program
  completion <shell>  Print the script that completes commands in a shell
  help                explain a command
`

const TOKEN_HELP = `Usage: codex-auth token [options]

Print an access token, refreshing it first if it is about to expire

Options:
  --min-ttl <duration>  refresh when it lives shorter than this, and end with 3 if it still does
                        (without it: 5m)
  --no-refresh          never contact the provider
  --kind <kind>         what to print; the API key of an OpenAI login is asked for once (choices:
                        "access-token", "api-key", default: "access-token")
  --timeout <duration>  answer within this time; a refresh that takes longer goes on by itself
  --format <format>     the shape to print it in (without it: raw) (choices: "raw", "json",
                        "header", "env", "exec-credential")
  --env <NAME>          with --format env: the variable for the token (without it: OPENAI_API_KEY)
  --shell <shell>       with --format env: whose syntax (without it: sh) (choices: "sh", "fish",
                        "powershell")
  -h, --help            explain a command

Global Options:
  -V, --version         print the version
  --profile <name>      which login to use
  --json                print one JSON object
  --quiet               say nothing but results and errors
  --debug               print a redacted trace on stderr
  --no-color            no colours
  --no-input            never ask or open anything; end with 9 where a person is needed

Examples:
  curl -H "Authorization: Bearer $(codex-auth token)" https://…
  curl -H "$(codex-auth token --format header)" https://…
  eval "$(codex-auth token --format env)"
  codex-auth token --format env --shell fish | source
`

const PROFILE_HELP = `Usage: codex-auth profile [options] [command]

Keep several logins side by side

Options:
  -h, --help        explain a command

Global Options:
  -V, --version     print the version
  --profile <name>  which login to use
  --json            print one JSON object
  --quiet           say nothing but results and errors
  --debug           print a redacted trace on stderr
  --no-color        no colours
  --no-input        never ask or open anything; end with 9 where a person is needed

Commands:
  list              List the profiles; the one in use is marked
  use <name>        Make a profile the default
  remove <name>     Remove a profile here, without telling the provider
  help              explain a command
`

function printed(stdout: string) {
  return { exitCode: 0, stdout, stderr: '' }
}

describe('help', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']], [['--json']], [['--help', '--profile', 'work']]])(
    'of the program goes to standard output (%j)',
    async (words) => {
      expect(await home.run(words)).toEqual(printed(HELP))
    },
  )

  test.each([
    'token --help',
    'token -h',
    'help token',
    '--profile work token --help',
    'token --nonsense --help',
  ])('of a command has its own flags and the global ones (%s)', async (words) => {
    expect(await home.run(words)).toEqual(printed(TOKEN_HELP))
  })

  test.each(['profile', 'profile --help', 'help profile', 'profile help'])(
    'of a group lists what is in it (%s)',
    async (words) => {
      expect(await home.run(words)).toEqual(printed(PROFILE_HELP))
    },
  )

  test.each([
    'login',
    'status',
    'refresh',
    'logout',
    'config',
    'config set',
    'profile use',
    'import codex',
    'export codex',
  ])('is there for %s', async (command) => {
    const { stdout, ...rest } = await home.run(`${command} --help`)
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(
      new RegExp(`^Usage: codex-auth ${command} \\[options\\].*\n\n[A-Z].*[^.]\n\nOptions:\n`),
    )
  })

  test('names every setting', async () => {
    const { stdout } = await home.run('config --help')
    expect(stdout).toMatch(
      /\nSettings: profile, provider, issuer, client_id, scopes, ports, redirect_host, key_source, browser, lock_wait, chatgpt_base_url, openai_base_url\n$/,
    )
  })

  test('says 5m where that is what happens', async () => {
    const { stdout } = await home.run('login --help')
    expect(stdout).toMatch(
      / {2}--timeout <duration> +give up after this time \(default: 5m, or as long as a device code\n/,
    )
  })
})

test.each(['--version', '-V', 'token --version'])('%s prints the version and nothing else', async (words) => {
  expect(await home.run(words)).toEqual(printed(`${version}\n`))
})

describe('words that are not understood', () => {
  test.each(
    [
      ['logni', "Unknown command 'logni' (Did you mean login?)", ''],
      ['exec', 'There is no command to run.', 'exec '],
      ['exec --nonsense -- env', "Unknown option '--nonsense'.", 'exec '],
      ['setup codecs', "Unknown command 'codecs' (Did you mean codex?)", 'setup '],
      ['import codecs', "Unknown command 'codecs' (Did you mean codex?)", 'import '],
      ['export codecs', "Unknown command 'codecs' (Did you mean codex?)", 'export '],
      ['doctor', "Unknown command 'doctor'.", ''],
      ['--nonsense', "Unknown option '--nonsense'.", ''],
      ['--profile', "Option '--profile <name>' argument missing.", ''],
      ['--profile work token --nonsense', "Unknown option '--nonsense'.", 'token '],
      ['token --jsn', "Unknown option '--jsn' (Did you mean --json?)", 'token '],
      ['token more', "Too many arguments for 'token'. Expected 0 arguments but got 1.", 'token '],
      ['token --min-ttl', "Option '--min-ttl <duration>' argument missing.", 'token '],
      [
        'token --format yaml',
        "Option '--format <format>' argument 'yaml' is invalid. Allowed choices are raw, json, header, env, exec-credential.",
        'token ',
      ],
      [
        'token --shell cmd',
        "Option '--shell <shell>' argument 'cmd' is invalid. Allowed choices are sh, fish, powershell.",
        'token ',
      ],
      ['token --env NAME', '--env only goes with --format env.', 'token '],
      ['refresh --min-ttl 5m', "Unknown option '--min-ttl'.", 'refresh '],
      ['status --verified', "Unknown option '--verified' (Did you mean --verify?)", 'status '],
      ['logout --everything', "Unknown option '--everything'.", 'logout '],
      ['login --watch', "Unknown option '--watch'.", 'login '],
      [
        'login --provider google',
        "Option '--provider <name>' argument 'google' is invalid. Allowed choices are openai, oidc.",
        'login ',
      ],
      [
        'login --redirect-host 0.0.0.0',
        "Option '--redirect-host <host>' argument '0.0.0.0' is invalid. Allowed choices are localhost, 127.0.0.1.",
        'login ',
      ],
      ['login --listen', "Option '--listen <address>' argument missing.", 'login '],
      ['login --workspace', "Option '--workspace <id>' argument missing.", 'login '],
      ...(
        [
          ['--device-code', '--with-api-key'],
          ['--device-code', '--with-access-token'],
          ['--with-api-key', '--with-access-token'],
        ] as const
      ).map(([one, other]): [string, string, string] => [
        `login ${other} ${one}`,
        `Option '${one}' cannot be used with option '${other}'.`,
        'login ',
      ]),
      ['profile drop work', "Unknown command 'drop'.", 'profile '],
      ['profile use', "Missing required argument 'name'.", 'profile use '],
      [
        'profile remove a b',
        "Too many arguments for 'remove'. Expected 1 argument but got 2.",
        'profile remove ',
      ],
      ['config set browser', "Missing required argument 'value'.", 'config set '],
      ['config get', "Missing required argument 'name'.", 'config get '],
    ].filter((row): row is [string, string, string] => row[1] !== undefined),
  )('%s: ends with 2 and points to the right help', async (words, message, command) => {
    const failure = { code: 'usage', exit_code: 2, message, next_step: `codex-auth ${command}--help` }
    expect(await home.run(words)).toEqual(failedInWords(failure))
    expect(await home.run(`--json ${words}`)).toEqual(failed(failure))
    expect(readdirSync(home.path)).toEqual([])
  })

  const durations = 'write seconds, or a number with a unit: 90, 90s, 30m, 12h, 7d'
  const names =
    'use letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 64: --profile work'
  const ports = 'write a number up to 65535, and the flag once for each: --port 1455 --port 1457'
  const addresses = 'write an IP address of this machine, or 0.0.0.0 for all: --listen 0.0.0.0'
  const issuer = 'The issuer is not an address to sign in at: https, with no user, query or fragment.'
  const issuers =
    'write it as in --issuer https://auth.example.com (http only for 127.0.0.1, [::1] and localhost)'

  test.each([
    ['token --min-ttl soon', '"soon" is not a duration.', durations],
    ['token --min-ttl -5', '"-5" is not a duration.', durations],
    ['token --min-ttl 1.5h', '"1.5h" is not a duration.', durations],
    ['status --min-ttl 5w', '"5w" is not a duration.', durations],
    ['refresh --if-expiring 5M', '"5M" is not a duration.', durations],
    ['login --timeout never', '"never" is not a duration.', durations],
    ['token --profile a/b', '"a/b" is not a profile name.', names],
    ['login --profile ../../etc', '"../../etc" is not a profile name.', names],
    ['status --profile .hidden', '".hidden" is not a profile name.', names],
    ['login --port http', '"http" is not a port.', ports],
    ['login --port 65536', '"65536" is not a port.', ports],
    ['login --port 1455,1457', '"1455,1457" is not a port.', ports],
    ['login --listen here', '"here" is not an address to listen on.', addresses],
    ['login --listen localhost', '"localhost" is not an address to listen on.', addresses],
    ['login --listen 1.2.3', '"1.2.3" is not an address to listen on.', addresses],
    ['login --listen 0.0.0.0:1455', '"0.0.0.0:1455" is not an address to listen on.', addresses],
    ['login --listen [::]', '"[::]" is not an address to listen on.', addresses],
    ['login --browser --issuer http://auth.example.com', issuer, issuers],
    ['login --browser --issuer https://me:secret-password@auth.example.com', issuer, issuers],
    ['login --browser --issuer auth.example.com', issuer, issuers],
    ['login --browser --issuer https://auth.example.com/?a=b', issuer, issuers],
    [
      'login --browser --provider oidc',
      'An OpenID provider needs its issuer.',
      '--issuer https://auth.example.com',
    ],
    [
      'login --browser --provider oidc --issuer https://auth.example.com',
      'An OpenID provider needs its client id.',
      '--client-id <id>, as registered at the provider',
    ],
  ])('%s: ends with 2 and shows the right form', async (words, message, next_step) => {
    const failure = { code: 'usage', exit_code: 2, message, next_step }
    expect(await home.run(words)).toEqual(failedInWords(failure))
    expect(await home.run(`${words} --json`)).toEqual(failed(failure))
    expect(readdirSync(home.path)).toEqual([])
  })

  test('an empty profile name is one of them', async () => {
    expect(await home.run(['token', '--profile', ''])).toEqual(
      failedInWords({ exit_code: 2, message: '"" is not a profile name.', next_step: names }),
    )
  })
})

function stoppedClock(): number {
  throw new Error('the clock has stopped')
}

describe('what nobody foresaw', () => {
  test('ends with 1, and is told as a bug with its stack', async () => {
    const { stderr, ...rest } = await home.run('status --json', { now: stoppedClock })
    expect({ ...rest, stdout: JSON.parse(rest.stdout) as unknown }).toEqual({
      exitCode: 1,
      stdout: {
        schema_version: 1,
        error: {
          code: 'failure',
          exit_code: 1,
          message: 'Something unforeseen happened: this is a bug. Details are on standard error.',
          next_step: 'report it, with what standard error shows',
        },
      },
    })
    expect(stderr).toMatch(/^codex-auth: bug: Error: the clock has stopped\n {4}at .*usage\.test\.ts/)
  })
})
