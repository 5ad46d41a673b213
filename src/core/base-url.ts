import type { Credential } from './credential.ts'

/** Where a token of this kind is accepted as a bearer token. `undefined`: only the person knows. */
export function baseUrl(credential: Credential): string | undefined {
  if (credential.provider !== 'openai') return undefined
  return credential.method === 'api_key'
    ? 'https://api.openai.com/v1'
    : 'https://chatgpt.com/backend-api/codex'
}
