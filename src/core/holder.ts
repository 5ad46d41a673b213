import type { Account, Credential } from './credential.ts'

/** How an account is called among people: by its address, else its id. */
export function accountName({ email, id, userId }: Account): string {
  return email ?? id ?? userId ?? 'an account the provider did not name'
}

/** Whose a login is, as it stands in a sentence. */
export function holderName({ method, account }: Credential): string {
  if (method === 'api_key') return 'an API key'
  const isNamed = [account.email, account.id, account.userId].some((name) => name !== undefined)
  return method === 'access_token' && !isNamed ? 'an access token' : accountName(account)
}

/** Whose a credential is, with the plan where it is known. */
export function holderWithPlan(credential: Credential): string {
  const { plan } = credential.account
  return plan === undefined ? holderName(credential) : `${holderName(credential)} (${plan})`
}
