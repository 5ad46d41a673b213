import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { certificateAuthority } from '../support/certificates.ts'
import { addressOf, runCli, startCli } from '../support/cli.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { atIssuer, newHome, newIssuer } from '../support/e2e.ts'
import { signIn } from '../support/sign-in.ts'
import { startTlsFront } from '../support/tls-front.ts'

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const AUTHORITY = certificateAuthority()

/** Another machine in all that matters here takes a mount that nobody else sees. */
const canMount =
  existsSync(BUNDLE) && spawnSync('unshare', ['-m', 'mount', '--bind', BUNDLE, BUNDLE]).status === 0

/** A Node.js on a machine whose system trusts these, and nobody else. */
function nodeTrusting(certificates: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-roots-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [bundle, node] = [join(folder, 'roots.pem'), join(folder, 'node')]
  writeFileSync(bundle, certificates)
  const inside = `mount --bind '${bundle}' ${BUNDLE} && exec '${process.execPath}' "$@"`
  writeFileSync(node, `#!/bin/sh\nexec unshare -m sh -c '${inside.replaceAll("'", `'\\''`)}' sh "$@"\n`, {
    mode: 0o755,
  })
  return node
}

describe.skipIf(!canMount)("an authority among the system's roots", () => {
  test('is trusted for every request, without a variable that names it', async () => {
    const issuer = await newIssuer()
    const host = `127.0.0.1:${await startTlsFront(issuer.issuer, AUTHORITY.issue('127.0.0.1'))}`
    const options = { home: newHome(), node: nodeTrusting(AUTHORITY.certificate) }
    const login = startCli(atIssuer({ issuer: `https://${host}` }), options)
    await signIn((await addressOf(login)).replace(`https://${host}`, issuer.issuer))
    const ended = [
      await login.ended,
      await runCli(['refresh', '--quiet'], options),
      await runCli(['logout', '--quiet'], options),
    ]
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect({ refreshes: issuer.refreshes, alive: issuer.liveFamilies() }).toEqual({ refreshes: 1, alive: 0 })
  })

  test('is trusted of a proxy as well, beside a file that is named', async () => {
    const other = certificateAuthority('another authority')
    const issuer = await newIssuer()
    const port = await startTlsFront(issuer.issuer, other.issue('issuer.test'))
    const proxy = await startConnectProxy({
      secure: { hostname: 'localhost', identity: AUTHORITY.issue('localhost') },
    })
    const folder = newHome()
    writeFileSync(join(folder, 'other.pem'), other.certificate)
    const env = { HTTPS_PROXY: proxy.address, SSL_CERT_FILE: join(folder, 'other.pem') }
    const options = { home: newHome(), env, node: nodeTrusting(AUTHORITY.certificate) }
    const login = startCli(atIssuer({ issuer: `https://issuer.test:${port}` }), options)
    await signIn((await addressOf(login)).replace(`https://issuer.test:${port}`, issuer.issuer))
    expect((await login.ended).exitCode).toBe(0)
    expect(proxy.answers).toEqual([`CONNECT issuer.test:${port} 200`])
  })

  test('is not trusted where it is not', async () => {
    const issuer = await newIssuer()
    const host = `127.0.0.1:${await startTlsFront(issuer.issuer, AUTHORITY.issue('127.0.0.1'))}`
    const node = nodeTrusting(certificateAuthority('another authority').certificate)
    const login = startCli(atIssuer({ issuer: `https://${host}` }), { home: newHome(), node })
    await signIn((await addressOf(login)).replace(`https://${host}`, issuer.issuer))
    const { exitCode, stderr } = await login.ended
    expect({ exitCode, exchanges: issuer.exchanges }).toEqual({ exitCode: 5, exchanges: 0 })
    expect(stderr).toContain(`The certificate of ${host} is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE).`)
  })
})
