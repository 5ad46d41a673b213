import { credentialOf } from '../../test/support/fake-issuer.ts'
import { startOpenIdProvider } from '../../test/support/openid-provider.ts'
import { crowdOf, judgeCrowd, longestSilence } from '../crowd.ts'
import { duration } from '../figures.ts'
import { signInAt } from '../sign-in.ts'
import { together, type Findings, type Scenario, type Stage } from '../scenario.ts'
import { Tally } from '../tally.ts'
import { inFolder, inTrial } from '../trial.ts'
import { keepsLogin, unless } from '../verdict.ts'

const PROFILES = ['default', 'work', 'home']

export const parallel: Scenario = {
  name: 'parallel',
  rule: 'Many processes call `token` at once on one login that is over. One refresh is sent, and all print the same token.',
  run: async (stage) => {
    const found: Findings[] = []
    for (const processes of stage.short ? [2, 10] : [2, 10, 100, 300])
      found.push(await onOneLogin(stage, processes))
    found.push(await onThreeProfiles(stage, stage.short ? 4 : 20))
    found.push(await atOpenIdProvider(stage, stage.short ? 6 : 40))
    return together(found)
  },
}

async function onOneLogin(stage: Stage, processes: number): Promise<Findings> {
  const tally = new Tally(`${processes} processes at once on one expired login`)
  let notes = ''
  for (let at = 0; at < (processes > 10 ? 1 : 3); at++) {
    await inTrial(stage, async (trial) => {
      const { issuer } = trial
      const crowd = await crowdOf(processes, () => trial.start(['token'], { wait: processes }))
      notes = `all had ended after ${duration(crowd.elapsed)}`
      tally.add({
        refreshes: issuer.refreshes,
        spentTwice: issuer.spentTwice,
        lost: keepsLogin(trial) ? 0 : 1,
        hangs: longestSilence(crowd) > 5000 ? 1 : 0,
        broken: [
          ...judgeCrowd(crowd, issuer),
          ...unless(issuer.refreshes === 1, `${issuer.refreshes} refreshes`),
        ],
      })
      stage.progress(processes, processes)
    })
  }
  return { rows: [tally.row(notes)], broken: tally.broken() }
}

async function onThreeProfiles(stage: Stage, each: number): Promise<Findings> {
  const tally = new Tally(`${each} processes on each of 3 profiles at once`)
  await inTrial(stage, async (trial) => {
    const { issuer } = trial
    for (const profile of PROFILES.slice(1))
      await trial.save(credentialOf(issuer.issueLogin({ accessTokenLifetime: -60 })), profile)
    const crowds = await Promise.all(
      PROFILES.map((profile) =>
        crowdOf(each, () => trial.start(['token', '--profile', profile], { wait: 3 * each })),
      ),
    )
    tally.add({
      refreshes: issuer.refreshes,
      spentTwice: issuer.spentTwice,
      lost: PROFILES.length - issuer.liveFamilies(),
      hangs: crowds.filter((crowd) => longestSilence(crowd) > 5000).length,
      broken: [
        ...crowds.flatMap((crowd) => judgeCrowd(crowd, issuer)),
        ...unless(issuer.refreshes === 3, `${issuer.refreshes} refreshes`),
        ...unless(
          new Set(crowds.map(({ ends }) => ends[0]?.stdout)).size === 3,
          'two profiles have one token',
        ),
      ],
    })
  })
  return { rows: [tally.row('one refresh for each')], broken: tally.broken() }
}

/** A certified server ends the login when a refresh token is sent again, so that one refusal shows all there is to see. */
async function atOpenIdProvider(stage: Stage, processes: number): Promise<Findings> {
  const tally = new Tally(`${processes} processes at once at a certified OpenID provider`)
  const provider = await startOpenIdProvider({ accessTokenLifetime: 1 })
  try {
    await inFolder(stage, async ({ start }) => {
      const flags = ['--provider', 'oidc', '--issuer', provider.issuer, '--client-id', provider.clientId]
      await signInAt(start, flags)
      provider.accessTokenLifetime = 3600
      const crowd = await crowdOf(processes, () => start(['token'], { wait: processes }))
      const printed = crowd.ends[0]?.stdout.trim() ?? ''
      tally.add({
        refreshes: provider.refreshes,
        spentTwice: provider.refusedRefreshes,
        hangs: longestSilence(crowd) > 5000 ? 1 : 0,
        broken: [
          ...judgeCrowd(crowd, {
            secrets: provider.secrets,
            accepts: (token) => provider.secrets.has(token),
          }),
          ...unless(printed !== '', 'no token was printed'),
          ...unless(provider.refreshes === 1, `${provider.refreshes} refreshes`),
        ],
      })
    })
  } finally {
    await provider.close()
  }
  return { rows: [tally.row()], broken: tally.broken() }
}
