import type { Account } from '../../core/credential.ts'
import type { Tokens } from '../../core/ports.ts'
import { asObject } from './json-object.ts'
import { claimsOf } from './json-web-token.ts'

type Claims = Readonly<Record<string, unknown>>

/** The account that OpenAI's tokens name; the id token goes first. `undefined`: they name none. */
export function chatGptAccount({
  idToken,
  accessToken,
}: Pick<Tokens, 'idToken' | 'accessToken'>): Account | undefined {
  const tokens = [idToken === undefined ? undefined : claimsOf(idToken), claimsOf(accessToken)]
  const claims = tokens.filter((found) => found !== undefined)
  const auth = claims.map((found) => asObject(found['https://api.openai.com/auth']))
  const profiles = claims.map((found) => asObject(found['https://api.openai.com/profile']))
  return unlessEmpty({
    email: firstText([...claims, ...profiles], 'email'),
    id: firstText(auth, 'chatgpt_account_id'),
    userId: firstText(auth, 'chatgpt_user_id') ?? firstText(auth, 'user_id'),
    plan: firstText(auth, 'chatgpt_plan_type'),
  })
}

/** The account that an id token names (OpenID Connect Core 1.0, section 5.1). `undefined`: none. */
export function openIdAccount({ idToken }: Tokens): Account | undefined {
  const claims = idToken === undefined ? [] : [claimsOf(idToken)]
  const subject = firstText(claims, 'sub')
  return unlessEmpty({ email: firstText(claims, 'email'), id: subject, userId: subject, plan: undefined })
}

/** One line that can be shown as it is: whoever names an account must not be able to steer a terminal. */
function firstText(claims: readonly (Claims | undefined)[], name: string): string | undefined {
  return claims.map((found) => found?.[name]).find(isShowable)
}

function isShowable(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 320 && !/\p{C}/u.test(value)
}

function unlessEmpty(account: Account): Account | undefined {
  return Object.values(account).every((value) => value === undefined) ? undefined : account
}
