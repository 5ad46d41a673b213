import type { Credential } from './credential.ts'
import { baseAddress } from './safe-address.ts'
import type { Settings } from './settings.ts'

/** The places where OpenAI's tokens are accepted. */
export interface BaseUrls {
  /** ChatGPT's backend, for access tokens. */
  readonly chatgpt: string
  /** The API, for keys. */
  readonly openai: string
}

type BaseUrlSettings = Pick<Settings, 'chatgpt_base_url' | 'openai_base_url'>

/** OpenAI's own places, unless the settings name others; no slash at the end. */
export function baseUrls({ chatgpt_base_url: chatgpt, openai_base_url: openai }: BaseUrlSettings): BaseUrls {
  return {
    chatgpt: baseAddress(chatgpt ?? '') ?? 'https://chatgpt.com/backend-api',
    openai: baseAddress(openai ?? '') ?? 'https://api.openai.com/v1',
  }
}

/** Where a token of this kind is accepted as a bearer token. `undefined`: only the person knows. */
export function baseUrl(credential: Credential, settings: BaseUrlSettings): string | undefined {
  if (credential.provider !== 'openai') return undefined
  const { chatgpt, openai } = baseUrls(settings)
  return credential.method === 'api_key' ? openai : `${chatgpt}/codex`
}

/** Whether {@link baseUrl} gives this address where no setting names another. */
export function isKnownBaseUrl(address: string | undefined): boolean {
  const { chatgpt, openai } = baseUrls({})
  return address === openai || address === `${chatgpt}/codex`
}
