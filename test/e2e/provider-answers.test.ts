import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { fingerprint, newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { answers, type FakeIssuer, type ScriptedAnswer } from '../support/fake-issuer.ts'
import { listenOnLoopback } from '../support/loopback-server.ts'

const NO_ANSWERS: [string, ScriptedAnswer][] = [
  ['a page instead of JSON', answers.html(200)],
  ["a proxy's page with 403", answers.html(403)],
  ["a gateway's page with 502", answers.html(502)],
  ['JSON that stops in the middle', answers.notJson()],
  ['an empty body', answers.empty()],
  ['an empty body with 401', answers.empty(401)],
  ['a list', answers.jsonArray()],
  ['an object without a token', answers.json(200, { token_type: 'Bearer' })],
  ['an error that only names the moment', answers.json(400, { error: 'temporarily_unavailable' })],
  ['more than an answer can be', answers.huge()],
  ['500', answers.json(500, { error: 'server_error' })],
  ['a connection that ends unread', answers.hangUpUnread],
]

describe('with the access token over, and the provider answering', () => {
  test.for(NO_ANSWERS)('%s: token ends with 5 and nothing stored has changed', async ([, answer]) => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const before = fingerprint(home)
    issuer.behaviour.standingAnswer = answer
    const { exitCode, stdout } = await runCli(['token'], { home })
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
    expect(fingerprint(home)).toBe(before)
    issuer.behaviour.standingAnswer = undefined
    await worksAgain(issuer, home)
  })

  test.for([302, 307] as const)('a redirect (%i): the refresh token is not taken there', async (status) => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const before = fingerprint(home)
    const elsewhere = await visited()
    issuer.behaviour.standingAnswer = answers.redirect(status, elsewhere.origin)
    const { exitCode } = await runCli(['token'], { home })
    expect({ exitCode, visits: elsewhere.visits }).toEqual({ exitCode: 5, visits: 0 })
    expect(fingerprint(home)).toBe(before)
    issuer.behaviour.standingAnswer = undefined
    await worksAgain(issuer, home)
  })

  test('nothing for as long as anybody waits', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const before = fingerprint(home)
    issuer.nextAnswers.push(answers.silence)
    const { exitCode, stdout } = await runCli(['token'], { home })
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
    expect(fingerprint(home)).toBe(before)
    await worksAgain(issuer, home)
  })

  test('not at all: nobody listens there', async () => {
    const home = newHome()
    const issuer = await newIssuer()
    await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
    const before = fingerprint(home)
    await issuer.close()
    const { exitCode, stdout, stderr } = await runCli(['token', '--json'], { home })
    const { error } = JSON.parse(stdout)
    expect({ exitCode, error: { ...error, message: '', next_step: '' } }).toEqual({
      exitCode: 5,
      error: { code: 'provider_unavailable', exit_code: 5, message: '', next_step: '' },
    })
    expect(stderr).toContain(error.message)
    expect(fingerprint(home)).toBe(before)
  })
})

test('while the access token lives, it is handed out with one line of warning', async () => {
  const home = newHome()
  const issuer = await newIssuer()
  const login = issuer.issueLogin({ accessTokenLifetime: 240 })
  await storeLogin(home, login, { obtainedAt: login.issuedAt - 3600 })
  const before = fingerprint(home)
  issuer.behaviour.standingAnswer = answers.html(403)
  const { exitCode, stdout, stderr } = await runCli(['token'], { home })
  expect({ exitCode, lines: stderr.split('\n').length - 1 }).toEqual({ exitCode: 0, lines: 1 })
  expect(issuer.accepts(stdout.trim())).toBe(true)
  expect(fingerprint(home)).toBe(before)
})

async function worksAgain(issuer: FakeIssuer, home: string): Promise<void> {
  const { exitCode, stdout } = await runCli(['token'], { home })
  expect({ exitCode, accepted: issuer.accepts(stdout.trim()), spentTwice: issuer.spentTwice }).toEqual({
    exitCode: 0,
    accepted: true,
    spentTwice: 0,
  })
}

/** A server that counts who comes. */
async function visited(): Promise<{ readonly origin: string; readonly visits: number }> {
  const server = await listenOnLoopback()
  onTestFinished(() => server.close())
  let visits = 0
  server.serve((_request, response) => {
    visits += 1
    response.end()
  })
  return {
    origin: server.origin,
    get visits() {
      return visits
    },
  }
}
