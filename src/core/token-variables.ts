import { AuthError } from '../errors.ts'
import { isKnownBaseUrl } from './base-url.ts'
import type { IssuedToken } from './issued-token.ts'
import { timestamp } from './timestamp.ts'

/** The values by name, in a fixed order. `undefined`: the variable has to go. */
export type Variables = readonly (readonly [name: string, value: string | undefined])[]

export type Environment = Readonly<Record<string, string | undefined>>

export const TOKEN_VARIABLE = 'OPENAI_API_KEY'

const BASE_URL = 'OPENAI_BASE_URL'
const ACCOUNT_ID = 'CODEX_AUTH_ACCOUNT_ID'
const EXPIRES_AT = 'CODEX_AUTH_EXPIRES_AT'

/**
 * What a program finds in its environment along with an access token. What is not known of this token is taken out, so
 * that nothing said of an earlier one stays behind. Only a base address that we never give is the person's own: it
 * stays where ours is not known, since without it such a token could not be used at all.
 * @param name the variable that holds the token.
 * @param environment what is set now.
 */
export function tokenVariables(token: IssuedToken, name: string, environment: Environment): Variables {
  const { accessToken, baseUrl, accountId, expiresAt } = token
  const hasOwnBaseUrl = baseUrl === undefined && !isKnownBaseUrl(environment[BASE_URL])
  return [
    [name, accessToken],
    ...(hasOwnBaseUrl ? [] : [[BASE_URL, baseUrl] as const]),
    [ACCOUNT_ID, holdable(accountId)],
    [EXPIRES_AT, timestamp(expiresAt) ?? undefined],
  ]
}

/** No variable can hold a NUL, and an empty one says nothing. */
function holdable(value: string | undefined): string | undefined {
  return value === undefined || value === '' || value.includes('\0') ? undefined : value
}

/** What already means something else: here, or to shells, the loader and Node.js, which fail on a token or show it. */
const TAKEN =
  /^(?:CODEX_AUTH_(?!TOKEN$).*|OPENAI_BASE_URL|PATH|HOME|IFS|ENV|BASH_ENV|NODE_OPTIONS|(?:LD|DYLD)_.*)$/i

/** @throws {AuthError} `usage` for what no shell takes as a name, or what already means something else. */
export function parseVariableName(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !TAKEN.test(text)) return text
  throw new AuthError(
    'usage',
    `${JSON.stringify(text.slice(0, 40))} is not a name for the variable that holds the token.`,
    { nextStep: 'use letters, digits and underscores, as in --env OPENAI_API_KEY' },
  )
}
