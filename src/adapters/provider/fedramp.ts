import type { Credential } from '../../core/credential.ts'
import { asObject } from './json-object.ts'
import { claimsOf } from './json-web-token.ts'

/** Whether OpenAI's id token says that the account is bound to FedRAMP, which requests must then say too. */
export function isFedRamp({ idToken }: Pick<Credential, 'idToken'>): boolean {
  const claims = idToken === undefined ? undefined : claimsOf(idToken)
  return asObject(claims?.['https://api.openai.com/auth'])?.['chatgpt_account_is_fedramp'] === true
}
