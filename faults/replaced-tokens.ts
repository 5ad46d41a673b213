import type { Trial } from './trial.ts'

/** Spends a refresh token at the trial's issuer, as another program does, and returns what it gave for it. */
export async function replacedTokens(
  { issuer, login }: Trial,
  refreshToken: string,
): Promise<{ readonly accessToken: string; readonly refreshToken: string }> {
  const response = await fetch(`${issuer.issuer}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: login.clientId,
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    }),
  })
  const tokens = (await response.json()) as Record<'access_token' | 'refresh_token', string>
  return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token }
}
