import { expect, it } from 'vitest'
import { startConnectProxy } from '../../support/connect-proxy.ts'
import { once } from '../../support/refresh-request.ts'
import { startTlsFront } from '../../support/tls-front.ts'
import { setNetwork } from './environment.ts'
import { AUTHORITY, fileOf } from './network.ts'
import {
  credential,
  idToken,
  metadata,
  openOidc,
  REDIRECT_URI,
  signedIn,
  startOpenIdServer,
} from './openid-server.ts'

it('the whole life of a login at an OpenID provider goes through the proxy', async () => {
  const server = await startOpenIdServer()
  const host = `issuer.test:${await startTlsFront(server.origin, AUTHORITY.issue('issuer.test'))}`
  const issuer = `https://${host}`
  server.replies.set('GET /.well-known/openid-configuration', { body: metadata(issuer) })
  const proxy = await startConnectProxy()
  setNetwork({ HTTPS_PROXY: proxy.address, SSL_CERT_FILE: fileOf(AUTHORITY.certificate) })

  const provider = await openOidc(issuer)
  await provider.discover(new AbortController().signal)
  const request = await provider.authorizationRequest(REDIRECT_URI, [])
  const tokens = { access_token: 'at-1', token_type: 'Bearer', refresh_token: 'rt-1' }
  server.replies.set('POST /token', { body: { ...tokens, id_token: idToken(issuer, request) } })
  const exchanged = await provider.exchange(request, signedIn(request))
  server.replies.set('POST /token', { body: { ...tokens, refresh_token: 'rt-2' } })
  const refreshed = await provider.refresh(credential(issuer, exchanged), once('forced'))
  server.replies.set('POST /revoke', {})
  const revoked = await provider.revoke(credential(issuer, exchanged), new AbortController().signal)

  expect(exchanged.refreshToken).toBe('rt-1')
  expect(refreshed).toMatchObject({ kind: 'tokens', tokens: { refreshToken: 'rt-2' } })
  expect(revoked).toBe(true)
  expect(server.requests.map(([route]) => route)).toEqual([
    'GET /.well-known/openid-configuration',
    'POST /token',
    'POST /token',
    'POST /revoke',
  ])
  expect(proxy.answers).toEqual(Array.from({ length: 4 }, () => `CONNECT ${host} 200`))
})
