import { expect, test } from 'vitest'
import { baseUrl, baseUrls } from '../../src/core/base-url.ts'
import { sampleCredential } from '../support/credentials.ts'

test.each([
  { provider: 'openai', method: 'chatgpt', url: 'https://chatgpt.com/backend-api/codex' },
  { provider: 'openai', method: 'access_token', url: 'https://chatgpt.com/backend-api/codex' },
  { provider: 'openai', method: 'api_key', url: 'https://api.openai.com/v1' },
  { provider: 'oidc', method: 'oauth', url: undefined },
  { provider: 'oidc', method: 'access_token', url: undefined },
] as const)('a token of $provider by $method is accepted at $url', ({ provider, method, url }) => {
  expect(baseUrl(sampleCredential({ provider, method }), {})).toBe(url)
})

test('a stand-in takes the place of both', () => {
  const settings = {
    chatgpt_base_url: 'http://127.0.0.1:9000/backend-api/',
    openai_base_url: 'https://gateway.example.com/v1',
  }
  expect(baseUrls(settings)).toEqual({
    chatgpt: 'http://127.0.0.1:9000/backend-api',
    openai: 'https://gateway.example.com/v1',
  })
  const [login, key] = (['chatgpt', 'api_key'] as const).map((method) =>
    baseUrl(sampleCredential({ method }), settings),
  )
  expect([login, key]).toEqual(['http://127.0.0.1:9000/backend-api/codex', 'https://gateway.example.com/v1'])
})
