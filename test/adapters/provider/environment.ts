import { onTestFinished, vi } from 'vitest'
import {
  AUTHORITY_VARIABLES,
  NODE_AUTHORITY_VARIABLE,
  PLAIN_PROXY_VARIABLES,
  PROXY_VARIABLES,
} from '../../../src/adapters/provider/network-variables.ts'

const NAMES = [
  ...PROXY_VARIABLES,
  ...PLAIN_PROXY_VARIABLES,
  ...AUTHORITY_VARIABLES,
  NODE_AUTHORITY_VARIABLE,
  'no_proxy',
  'NO_PROXY',
]

/** What the environment says of proxies and certificates until the end of the test: this, and nothing of its own. */
export function setNetwork(variables: Readonly<Record<string, string>> = {}): void {
  onTestFinished(() => void vi.unstubAllEnvs())
  for (const name of NAMES) vi.stubEnv(name, variables[name])
}
