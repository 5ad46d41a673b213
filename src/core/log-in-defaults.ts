import type { ProviderName } from './credential.ts'
import type { Settings } from './settings.ts'

/** Seconds that a person has in a browser. */
export const BROWSER_TIMEOUT = 300

const OPENAI_PORTS = [1455, 1457]

/** Where the redirect comes to, tried in this order: OpenAI's client may use two ports, any other has a free one. */
export function redirectPorts({ ports }: Settings, provider: ProviderName): readonly number[] {
  return ports ?? (provider === 'openai' ? OPENAI_PORTS : [0])
}

/** A program that the person has chosen may need no screen; over SSH, it would still run on the wrong side. */
export function opensBrowser(
  { browser }: Settings,
  { ssh, opensBrowser: isSeen }: { readonly ssh: boolean; readonly opensBrowser: boolean },
): boolean {
  return browser !== 'none' && (isSeen || (browser !== undefined && !ssh))
}
