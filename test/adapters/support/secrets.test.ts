import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startFakeIssuer } from '../../support/fake-issuer.ts'
import { findLeaks, recordOutput, recordSecret } from '../../support/secrets.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'codex-auth-secrets-'))
  vi.stubEnv('CODEX_AUTH_TEST_SECRETS', folder)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

test('a secret in an output is found, and said without the secret', () => {
  recordSecret('rt_0123456789abcdefghij', 'refresh_token')
  recordOutput('refreshing rt_0123456789abcdefghij now', 'stderr of refresh')
  expect(findLeaks(folder)).toEqual({
    secrets: 1,
    outputs: 1,
    leaks: [{ kind: 'refresh_token', from: 'stderr of refresh' }],
  })
})

test('a shortened secret is found as well', () => {
  recordSecret('sk-proj-9876543210zyxwvutsrq', 'api_key')
  recordOutput('the key sk-proj-98765432… is', 'beginning')
  recordOutput('the key …3210zyxwvutsrq is', 'too little to tell')
  recordOutput('the key …543210zyxwvutsrq is', 'end')
  expect(findLeaks(folder).leaks).toEqual([
    { kind: 'api_key', from: 'beginning' },
    { kind: 'api_key', from: 'end' },
  ])
})

test('what all JWTs begin with is no leak, what one ends with is', () => {
  recordSecret('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.signature-of-the-first', 'id_token')
  recordOutput('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJiIn0.another', 'stdout')
  expect(findLeaks(folder).leaks).toEqual([])
  recordOutput('…signature-of-the-first', 'stdout')
  expect(findLeaks(folder).leaks).toEqual([{ kind: 'id_token', from: 'stdout' }])
})

test('an output may contain the secret that it is for, and no other', () => {
  recordSecret('access-token-of-the-third-test', 'access_token')
  recordSecret('verifier-of-the-third-test', 'code_verifier')
  const text = 'access-token-of-the-third-test\nverifier-of-the-third-test\n'
  recordOutput(text, 'stdout of token', ['access_token'])
  expect(findLeaks(folder).leaks).toEqual([{ kind: 'code_verifier', from: 'stdout of token' }])
})

test('a state belongs in the authorization address and nowhere else', () => {
  recordSecret('state-of-the-fourth-test', 'state')
  recordOutput(
    'open\nhttps://a.example/?code_challenge=x&state=state-of-the-fourth-test\n',
    'stderr of login',
  )
  recordOutput('received state-of-the-fourth-test code_challenge=x', 'stderr of login --debug')
  expect(findLeaks(folder).leaks).toEqual([{ kind: 'state', from: 'stderr of login --debug' }])
})

test('the fake issuer records its tokens by itself', async () => {
  const issuer = await startFakeIssuer()
  const { refreshToken } = issuer.issueLogin()
  await issuer.close()
  recordOutput(refreshToken, 'stdout')
  expect(findLeaks(folder)).toEqual({
    secrets: 3,
    outputs: 1,
    leaks: [{ kind: 'refresh_token', from: 'stdout' }],
  })
})

test('nothing is written where nobody asked for it', () => {
  vi.stubEnv('CODEX_AUTH_TEST_SECRETS', '')
  recordSecret('a-secret-of-the-last-test')
  recordOutput('text', 'stdout')
  expect(readdirSync(folder)).toEqual([])
})
