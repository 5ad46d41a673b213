import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OAuth2Server } from 'oauth2-mock-server'
import { expect, onTestFinished, test } from 'vitest'
import { certificateAuthority } from '../support/certificates.ts'
import { addressOf, runCli, startCli } from '../support/cli.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { atProvider, newHome } from '../support/e2e.ts'
import { recordSecret } from '../support/secrets.ts'
import { signIn } from '../support/sign-in.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { startTlsFront } from '../support/tls-front.ts'

/** An OpenID server with a private certificate, and where it is for a browser, which has a network of its own. */
async function newServer() {
  const authority = certificateAuthority()
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, '127.0.0.1')
  onTestFinished(() => server.stop())
  const inBrowser = `http://127.0.0.1:${server.address().port}`
  const host = `idp.test:${await startTlsFront(inBrowser, authority.issue('idp.test'))}`
  server.issuer.url = `https://${host}`
  // Two tokens of the same second would be the same.
  server.service.on('beforeTokenSigning', ({ payload }: { payload: Record<string, unknown> }) => {
    payload['jti'] = randomUUID()
  })
  server.service.on('beforeResponse', ({ body }: { body: Record<string, unknown> }) => {
    for (const name of ['access_token', 'refresh_token', 'id_token'] as const)
      recordSecret(String(body[name]), name)
  })
  const authorities = join(temporaryFolder(), 'corp.pem')
  writeFileSync(authorities, authority.certificate)
  return { host, inBrowser, authorities }
}

test('behind a proxy, an OpenID login is made, verified, renewed and ended, and the proxy sees no token', async () => {
  const [home, { host, inBrowser, authorities }] = [newHome(), await newServer()]
  const proxy = await startConnectProxy()
  const env = { HTTPS_PROXY: proxy.address, CODEX_CA_CERTIFICATE: authorities }
  const login = startCli(atProvider({ issuer: `https://${host}`, clientId: 'any-client' }), { home, env })
  await signIn((await addressOf(login)).replace(`https://${host}`, inBrowser))
  const exitCodes = [(await login.ended).exitCode]
  const { stdout: token } = await runCli(['token'], { home })
  const asked = [new Set(proxy.answers)]
  for (const words of [['status', '--verify'], ['refresh'], ['logout']]) {
    proxy.answers.length = 0
    exitCodes.push((await runCli(words, { home, env })).exitCode)
    asked.push(new Set(proxy.answers))
  }
  expect(exitCodes).toEqual([0, 0, 0, 0])
  expect(asked).toEqual(exitCodes.map(() => new Set([`CONNECT ${host} 200`])))
  expect(proxy.carried(token.trim())).toBe(false)
})
