import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { assignments } from '../../src/core/shell-syntax.ts'
import { startBearerServer } from '../support/bearer-server.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { runCli } from '../support/cli.ts'
import { newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { available, runScript } from '../support/shell.ts'
import { startTlsFront } from '../support/tls-front.ts'

/** Each shell with the syntax that it is given, and how it takes it up from a command, and from standard input. */
const SHELLS = available(['sh', 'dash', 'bash', 'zsh', 'fish']).map((shell) =>
  shell === 'fish'
    ? {
        shell,
        syntax: 'fish' as const,
        take: 'codex-auth token --format env --shell fish',
        read: 'cat | source',
      }
    : { shell, syntax: 'sh' as const, take: 'codex-auth token --format env', read: 'eval "$(cat)"' },
)

/** What runs a program, ends a quote or an escape, or gets lost, in one shell or another. */
const HOSTILE = [
  '$(touch canary)',
  '`touch canary`',
  '(touch canary)',
  "'; touch canary; '",
  "' || touch canary #",
  String.raw`\'; touch canary; #`,
  '"; touch canary; "',
  '\ntouch canary\n',
  '\r\n',
  '${IFS}',
  '!!',
  '~',
  '*',
  "'",
  "''",
  '\\',
  '\\\\',
  '%',
  '^',
  '\t',
  '\u007f',
  '‘’',
  '\uF601\uFDD0',
]

/** A login of somebody whose account id is this. */
async function homeOf(accountId: string) {
  const home = newHome()
  const issuer = await newIssuer()
  const account = { email: 'alice@example.com', accountId, userId: 'user-1', plan: 'plus' }
  await storeLogin(home, issuer.issueLogin({ account }))
  return { home, issuer, server: await startBearerServer(issuer.accepts) }
}

/** One entry of the environment. */
function parted(entry: string): [name: string, value: string] {
  const at = entry.indexOf('=')
  return [entry.slice(0, at), entry.slice(at + 1)]
}

/** A folder that has to be empty at the end of the test. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-empty-'))
  onTestFinished(() => {
    const found = readdirSync(folder)
    rmSync(folder, { recursive: true })
    expect(found).toEqual([])
  })
  return folder
}

describe.for(SHELLS)('--format env in $shell', ({ shell, syntax, take, read }) => {
  const evaluate = shell === 'fish' ? `${take} | source` : `eval "$(${take})"`

  test('gives every program started there what it needs', async () => {
    const { home, server } = await homeOf('account-1')
    const script = `${evaluate}
      curl -fsS -H "Authorization: Bearer $OPENAI_API_KEY" "$SERVER/things"
      sh -c 'printf "%s %s %s" "$OPENAI_BASE_URL" "$CODEX_AUTH_ACCOUNT_ID" "$CODEX_AUTH_EXPIRES_AT"'`
    const { exitCode, stdout, stderr } = await runScript(script, {
      home,
      shell,
      env: { SERVER: server.origin },
    })
    expect({ exitCode, stderr, served: server.served }).toEqual({
      exitCode: 0,
      stderr: '',
      served: ['/things'],
    })
    expect(stdout).toMatch(
      /^\{\}https:\/\/chatgpt\.com\/backend-api\/codex account-1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    )
  })

  test('runs nothing that an account id says', async () => {
    const accountId = HOSTILE.join('')
    const { home } = await homeOf(accountId)
    const script = `${evaluate}\nprintenv CODEX_AUTH_ACCOUNT_ID`
    expect(await runScript(script, { home, shell, cwd: emptyFolder() })).toEqual({
      exitCode: 0,
      stdout: `${accountId}\n`,
      stderr: '',
    })
  })

  test('leaves nothing of an earlier token', async () => {
    const { home } = await homeOf('account-1')
    const issuer = await newIssuer()
    const nobody = { email: undefined, id: undefined, userId: undefined, plan: undefined }
    const other = { provider: 'oidc', method: 'oauth', account: nobody, expiresAt: undefined } as const
    await storeLogin(home, issuer.issueLogin(), other, 'other')
    const evaluateOther = evaluate.replace('codex-auth', 'codex-auth --profile other')
    const script = `${evaluate}
      ${evaluateOther}
      ${evaluateOther}
      echo "status $${shell === 'fish' ? 'status' : '?'}"
      env | grep -cE '^(OPENAI_BASE_URL|CODEX_AUTH_(ACCOUNT_ID|EXPIRES_AT))='`
    const { stdout, stderr } = await runScript(script, { home, shell })
    expect({ stdout, stderr }).toEqual({ stdout: 'status 0\n0\n', stderr: '' })
  })

  test('is any value at all, to the byte', () => {
    const home = newHome()
    const cwd = emptyFolder()
    const text = fc
      .oneof(
        fc.array(fc.constantFrom(...HOSTILE), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string({ minLength: 1 }),
      )
      .filter((value) => !value.includes('\0'))
    const locale = fc.constantFrom('C', 'C.UTF-8')
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), locale, (values, LC_ALL) => {
        const variables = values.map((value, index) => [`VALUE_${index}`, value] as const)
        const { stdout, stderr } = spawnSync(shell, ['-c', `${read}\nexec env -0`], {
          cwd,
          env: { PATH: process.env['PATH'], HOME: home, LC_ALL },
          input: assignments(variables, syntax),
          encoding: 'utf8',
        })
        const found = new Map(stdout.split('\0').map(parted))
        expect({ stderr, values: variables.map(([name]) => found.get(name)) }).toEqual({ stderr: '', values })
      }),
      { numRuns: 25 },
    )
  })

  test('is nothing when there is no token, and the script can know', async () => {
    const script = `${take} >file; or exit $status`
    const words = shell === 'fish' ? script : script.replace('; or exit $status', ' || exit $?')
    const home = newHome()
    const ended = await runScript(`cd ${home}\n${words}\necho not reached`, { home, shell })
    expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode: 4, stdout: '' })
  })
})

describe.runIf(available(['curl']).length > 0)('--format header', () => {
  test.for([
    ['sh', 'curl -fsS -H "$(codex-auth token --format header)" "$SERVER/things"'],
    ['sh', 'codex-auth token --format header | curl -fsS -H @- "$SERVER/things"'],
    ['bash', 'curl -fsS -H @<(codex-auth token --format header) "$SERVER/things"'],
  ] as const)('is what curl sends (%s: %s)', async ([shell, script]) => {
    const { home, server } = await homeOf('account-1')
    expect(await runScript(script, { home, shell, env: { SERVER: server.origin } })).toEqual({
      exitCode: 0,
      stdout: '{}',
      stderr: '',
    })
    expect({ served: server.served, refused: server.refused }).toEqual({ served: ['/things'], refused: [] })
  })
})

const GROUP = 'client.authentication.k8s.io'

describe('--format exec-credential', () => {
  test.for(['v1', 'v1beta1'])('answers as %s asks, as kubectl does', async (version) => {
    const { home, issuer } = await homeOf('account-1')
    const apiVersion = `${GROUP}/${version}`
    const KUBERNETES_EXEC_INFO = JSON.stringify({
      kind: 'ExecCredential',
      apiVersion,
      spec: { interactive: false, cluster: { server: 'https://127.0.0.1:6443', config: null } },
    })
    const { stdout, ...rest } = await runCli(['token', '--format', 'exec-credential'], {
      home,
      env: { KUBERNETES_EXEC_INFO },
    })
    const credential = JSON.parse(stdout)
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    // A failure must not print the token.
    credential.status.token = issuer.accepts(credential.status.token)
    expect(credential).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      status: {
        token: true,
        expirationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    })
  })

  // Debian's kubectl knows no v1.
  test.runIf(available(['kubectl']).length > 0)('is what kubectl takes', async () => {
    const { home, issuer } = await homeOf('account-1')
    const server = await startBearerServer(issuer.accepts, (path) => ({ path }))
    const authority = certificateAuthority()
    const port = await startTlsFront(server.origin, authority.issue('127.0.0.1'))
    const config = join(home, 'kubeconfig')
    writeFileSync(config, kubeconfig(port, authority.certificate, `${GROUP}/v1beta1`))
    const ended = await runScript('kubectl get --raw /api/things', {
      home,
      env: { KUBECONFIG: config, HOME: home },
    })
    expect(ended).toEqual({ exitCode: 0, stdout: '{"path":"/api/things"}', stderr: '' })
    expect(server.refused).toEqual([])
  })
})

function kubeconfig(port: number, certificate: string, apiVersion: string): string {
  const args = ['token', '--format', 'exec-credential']
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'stand-in',
        cluster: {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': Buffer.from(certificate).toString('base64'),
        },
      },
    ],
    users: [
      { name: 'me', user: { exec: { apiVersion, command: 'codex-auth', args, interactiveMode: 'Never' } } },
    ],
    contexts: [{ name: 'here', context: { cluster: 'stand-in', user: 'me' } }],
    'current-context': 'here',
  })
}
