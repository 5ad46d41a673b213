import type { Credential } from './credential.ts'

const API = 'https://api.openai.com/v1'
const CHATGPT = 'https://chatgpt.com/backend-api/codex'

/** Where a token of this kind is accepted as a bearer token. `undefined`: only the person knows. */
export function baseUrl(credential: Credential): string | undefined {
  if (credential.provider !== 'openai') return undefined
  return credential.method === 'api_key' ? API : CHATGPT
}

/** Whether {@link baseUrl} gives this address for some credential. */
export function isKnownBaseUrl(address: string | undefined): boolean {
  return address === API || address === CHATGPT
}
