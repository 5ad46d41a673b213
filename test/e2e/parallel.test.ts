import { expect, test } from 'vitest'
import { runCli, type Ended } from '../support/cli.ts'
import { atIssuer, atProvider, logIn, newHome, newIssuer, newProvider } from '../support/e2e.ts'

/** As many as a machine full of editors, agents and terminals has. */
const PROCESSES = 60

test('60 processes on one expired login make one refresh and print the same token', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  issuer.behaviour.accessTokenLifetime = -60
  await logIn(atIssuer(issuer), { home })
  issuer.behaviour.accessTokenLifetime = 3600
  const token = await sameToken(tokens(home))
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
  expect(issuer.accepts(token)).toBe(true)
})

test('60 processes do so at a certified provider, which ends a login for anything else', async () => {
  const home = newHome()
  const provider = await newProvider()
  provider.accessTokenLifetime = 1
  await logIn(atProvider(provider), { home })
  provider.accessTokenLifetime = 3600
  const token = await sameToken(tokens(home))
  expect({ refreshes: provider.refreshes, refused: provider.refusedRefreshes }).toEqual({
    refreshes: 1,
    refused: 0,
  })
  expect(provider.secrets.has(token)).toBe(true)
})

test('processes on three profiles make one refresh for each', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const profiles = ['default', 'work', 'other.one']
  issuer.behaviour.accessTokenLifetime = -60
  for (const profile of profiles) await logIn([...atIssuer(issuer), '--profile', profile], { home })
  issuer.behaviour.accessTokenLifetime = 3600
  const perProfile = await Promise.all(
    profiles.map((profile) => sameToken(tokens(home, PROCESSES / 3, ['--profile', profile]))),
  )
  expect(new Set(perProfile).size).toBe(3)
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 3,
    spentTwice: 0,
  })
})

test('20 processes that want an API key get the one that is asked for', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  await logIn(atIssuer(issuer), { home })
  const key = await sameToken(tokens(home, PROCESSES / 3, ['--kind', 'api-key']))
  expect({ asked: issuer.apiKeys, isKey: key.startsWith('sk-proj-') }).toEqual({ asked: 1, isKey: true })
})

function tokens(home: string, processes = PROCESSES, flags: readonly string[] = []): Promise<Ended>[] {
  return Array.from({ length: processes }, () => runCli(['token', ...flags], { home }))
}

/** The one token that all of them printed. A failure shows none. */
async function sameToken(runs: readonly Promise<Ended>[]): Promise<string> {
  const ended = await Promise.all(runs)
  const printed = [...new Set(ended.map(({ stdout }) => stdout))]
  expect(ended.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
    ended.map(() => ({ exitCode: 0, stderr: '' })),
  )
  expect(printed.length).toBe(1)
  return printed[0]?.trim() ?? ''
}
