import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { certificateAuthority } from '../support/certificates.ts'
import { addressOf, runCli, startCli, type Ended } from '../support/cli.ts'
import { startConnectProxy, type ConnectProxy } from '../support/connect-proxy.ts'
import { atIssuer, fingerprint, newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import type { FakeIssuer, LoginOverrides } from '../support/fake-issuer.ts'
import { signIn } from '../support/sign-in.ts'
import { startTlsFront } from '../support/tls-front.ts'

const AUTHORITY = certificateAuthority()

interface Corporation {
  readonly home: string
  readonly issuer: FakeIssuer
  /** Where the issuer is for those behind the proxy. */
  readonly host: string
  readonly proxy: ConnectProxy
  /** The file with the certificate authority. */
  readonly authorities: string
  /** What everybody has to set here. */
  readonly env: Readonly<Record<string, string>>
}

/** A network from which an issuer with a private certificate is reached only through a proxy with a password. */
async function newCorporation(): Promise<Corporation> {
  const issuer = await newIssuer()
  const host = `issuer.test:${await startTlsFront(issuer.issuer, AUTHORITY.issue('issuer.test'))}`
  const proxy = await startConnectProxy()
  const authorities = join(newFolder(), 'corp.pem')
  writeFileSync(authorities, AUTHORITY.certificate)
  const env = { HTTPS_PROXY: proxy.address, CODEX_CA_CERTIFICATE: authorities }
  return { home: newHome(), issuer, host, proxy, authorities, env }
}

async function signedIn(overrides: LoginOverrides = {}): Promise<Corporation> {
  const corporation = await newCorporation()
  const login = corporation.issuer.issueLogin(overrides)
  const obtainedAt = login.issuedAt - 3600
  await storeLogin(corporation.home, login, { issuer: `https://${corporation.host}`, obtainedAt })
  return corporation
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-proxy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function failed(exitCode: number, message: string, nextStep: string): Ended {
  return { exitCode, stdout: '', stderr: `codex-auth: ${message}\n  Next: ${nextStep}\n` }
}

describe('behind a proxy with a password and a private certificate authority', () => {
  test('a login is made, renewed and ended', async () => {
    const { home, issuer, host, proxy, env } = await newCorporation()
    const login = startCli(atIssuer({ issuer: `https://${host}` }), { home, env })
    // A browser has a network of its own.
    await signIn((await addressOf(login)).replace(`https://${host}`, issuer.issuer))
    const ended = [
      await login.ended,
      await runCli(['refresh', '--quiet'], { home, env }),
      await runCli(['logout', '--quiet'], { home, env }),
    ]
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect({ refreshes: issuer.refreshes, alive: issuer.liveFamilies() }).toEqual({ refreshes: 1, alive: 0 })
    expect(proxy.answers).toEqual(Array.from(ended, () => `CONNECT ${host} 200`))
    expect([...issuer.secrets].filter((secret) => proxy.carried(secret))).toEqual([])
  })

  test('a proxy that speaks TLS itself will do, and so will the files for Node.js and OpenSSL', async () => {
    const { home, issuer, authorities } = await signedIn()
    const secure = { hostname: 'localhost', identity: AUTHORITY.issue('localhost') }
    const proxy = await startConnectProxy({ secure })
    for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) {
      const env = { all_proxy: proxy.address, [variable]: authorities }
      expect(await runCli(['refresh', '--quiet'], { home, env })).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: '',
      })
    }
    expect(issuer.refreshes).toBe(2)
  })

  test.for([
    ['what Node.js was given', { NODE_EXTRA_CA_CERTS: 'FILE' }],
    [
      'what OpenSSL was given, where Node.js uses that',
      { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: 'FILE' },
    ],
  ] as const)('%s is trusted beside the file for Codex', async ([, variables]) => {
    const { home, issuer, authorities, env } = await signedIn()
    const other = join(newFolder(), 'other.pem')
    writeFileSync(other, certificateAuthority('another authority').certificate)
    const given = Object.entries(variables).map(([name, value]) => [name, value.replace('FILE', authorities)])
    const both = { ...env, CODEX_CA_CERTIFICATE: other, ...Object.fromEntries(given) }
    const { exitCode, stderr } = await runCli(['refresh', '--quiet'], { home, env: both })
    expect({ exitCode, stderr, refreshes: issuer.refreshes }).toEqual({
      exitCode: 0,
      stderr: '',
      refreshes: 1,
    })
  })

  test('the trace says which way a request went, and no password', async () => {
    const { home, host, proxy, authorities, env } = await signedIn()
    const { stderr } = await runCli(['refresh', '--debug'], { home, env })
    expect(stderr.replaceAll(/\+\d+ ms/g, '+0 ms')).toContain(
      [
        `codex-auth: debug: +0 ms: trusting the roots of Node.js plus CODEX_CA_CERTIFICATE=${authorities}`,
        `codex-auth: debug: +0 ms: CONNECT ${host} at the proxy ${proxy.host}: 200`,
        `codex-auth: debug: +0 ms: POST https://${host}/oauth/token: 200`,
      ].join('\n'),
    )
    expect(proxy.secrets.filter((secret) => stderr.includes(secret))).toEqual([])
  })
})

describe('a way that is closed leaves the login as it was', () => {
  test('when the password of the proxy is wrong', async () => {
    const { home, issuer, host, proxy, env } = await signedIn({ accessTokenLifetime: -1 })
    const before = fingerprint(home)
    const wrong = { ...env, HTTPS_PROXY: `http://alice:wrong@${proxy.host}` }
    expect(await runCli(['token'], { home, env: wrong })).toEqual(
      failed(
        5,
        `The proxy ${proxy.host} refused the connection to ${host} (407).`,
        'check the user and password in HTTPS_PROXY',
      ),
    )
    expect(proxy.answers).toEqual([`CONNECT ${host} 407`])
    expect({ same: fingerprint(home) === before, asked: issuer.requests.length }).toEqual({
      same: true,
      asked: 0,
    })
    expect((await runCli(['token'], { home, env })).exitCode).toBe(0)
  })

  test('when the proxy is named in a way that cannot be', async () => {
    const { home, proxy, env } = await signedIn()
    const socks = { ...env, HTTPS_PROXY: proxy.address.replace('http:', 'socks5:') }
    expect(await runCli(['refresh'], { home, env: socks })).toEqual(
      failed(
        5,
        'HTTPS_PROXY names a SOCKS proxy, which is not supported.',
        'name an http:// or https:// proxy in HTTPS_PROXY, or unset it',
      ),
    )
    expect((await runCli(['refresh'], { home, env })).exitCode).toBe(0)
  })

  test('when nobody vouches for the issuer', async () => {
    const { home, host, proxy, env } = await signedIn()
    const { exitCode, stderr } = await runCli(['refresh'], { home, env: { HTTPS_PROXY: env['HTTPS_PROXY'] } })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 5,
      stderr: [
        `codex-auth: The certificate of ${host} (through the proxy ${proxy.host}) is not trusted ` +
          '(UNABLE_TO_VERIFY_LEAF_SIGNATURE).',
        '  Next: if this network inspects TLS, name its certificate authority in NODE_EXTRA_CA_CERTS',
        '',
      ].join('\n'),
    })
  })
})

test('a living token is handed out although the file of certificates is missing', async () => {
  const { home, issuer, env } = await signedIn({ accessTokenLifetime: 240 })
  const missing = { ...env, CODEX_CA_CERTIFICATE: '/nowhere/corp.pem' }
  const { exitCode, stdout, stderr } = await runCli(['token'], { home, env: missing })
  expect({ exitCode, works: issuer.accepts(stdout.trim()) }).toEqual({ exitCode: 0, works: true })
  expect(stderr).toContain('CODEX_CA_CERTIFICATE=/nowhere/corp.pem cannot be read (ENOENT).')
})

test('a logout does not wait for a silent proxy longer than it says, and no socket keeps it', async () => {
  const { home, proxy, env } = await signedIn()
  proxy.refusal = 'silent'
  const { exitCode } = await runCli(['logout'], { home, env })
  expect({
    exitCode,
    left: readdirSync(join(home, 'profiles')).filter((name) => name.endsWith('.cred')),
  }).toEqual({
    exitCode: 5,
    left: [],
  })
  await expect.poll(() => proxy.clients).toBe(0)
})

describe('the code for proxies and certificates', () => {
  test('is not loaded where nobody asks for it', async () => {
    const { home, host, issuer } = await signedIn()
    expect(await loaded(['refresh', '--quiet'], home, {})).toEqual([])
    await storeLogin(home, issuer.issueLogin())
    const settings = { HTTPS_PROXY: 'http://127.0.0.1:1', CODEX_CA_CERTIFICATE: '/nowhere' }
    expect(await loaded(['refresh', '--quiet'], home, settings)).toEqual([])
    expect(host).toContain('issuer.test')
  })

  test('is loaded where somebody does', async () => {
    const { home, env } = await signedIn()
    expect(await loaded(['refresh', '--quiet'], home, env)).toEqual(['certificates', 'proxy', 'tunnel'])
  })
})

/** Which of its files a call has loaded, as Node.js itself tells. */
async function loaded(
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = newFolder()
  await runCli(args, { home, env: { ...env, NODE_V8_COVERAGE: folder } })
  const scripts = readdirSync(folder).flatMap((name): { url: string }[] => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    return result
  })
  const names = scripts.map(({ url }) => basename(url).replace(/-[\w-]{8}\.js$/, ''))
  return names.filter((name) => /^(?:proxy|tunnel|certificates)/.test(name)).toSorted()
}
