import { expect, test } from 'vitest'
import { baseUrl } from '../../src/core/base-url.ts'
import { sampleCredential } from '../support/credentials.ts'

test.each([
  { provider: 'openai', method: 'chatgpt', url: 'https://chatgpt.com/backend-api/codex' },
  { provider: 'openai', method: 'access_token', url: 'https://chatgpt.com/backend-api/codex' },
  { provider: 'openai', method: 'api_key', url: 'https://api.openai.com/v1' },
  { provider: 'oidc', method: 'oauth', url: undefined },
  { provider: 'oidc', method: 'access_token', url: undefined },
] as const)('a token of $provider by $method is accepted at $url', ({ provider, method, url }) => {
  expect(baseUrl(sampleCredential({ provider, method }))).toBe(url)
})
