import { expect, test } from 'vitest'
import { startCli } from '../support/cli.ts'
import { atIssuer, fingerprint, newHome, newIssuer, storeLogin } from '../support/e2e.ts'
import { hold } from '../support/fake-issuer.ts'
import { startOnTerminal } from '../support/terminal.ts'

const CTRL_C = '\x03'

test('Ctrl-C ends a sign-in at once and leaves the login before to the byte', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin())
  const before = fingerprint(home)
  const terminal = startOnTerminal(atIssuer(issuer), { home })
  await terminal.shows(/Ctrl-C ends it/)
  const pressed = performance.now()
  terminal.type(CTRL_C)
  const { exitCode, shown } = await terminal.ended
  expect(performance.now() - pressed).toBeLessThan(500)
  expect({ exitCode, last: shown.split('\n').slice(-3) }).toEqual({
    exitCode: 130,
    last: ['codex-auth: Interrupted.', '  Next: run the command again', ''],
  })
  expect(fingerprint(home)).toBe(before)
})

test('whoever waits for another process is told which, and may stop waiting', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const first = startCli(['token'], { home })
  await held.arrived
  const second = startOnTerminal(['token'], { home })
  const [, pid] = await second.shows(/Waiting for .*, pid (\d+),/)
  const pressed = performance.now()
  second.type(CTRL_C)
  const { exitCode } = await second.ended
  expect({ exitCode, pid: Number(pid) }).toEqual({ exitCode: 130, pid: first.pid })
  expect(performance.now() - pressed).toBeLessThan(500)
  held.release()
  expect((await first.ended).exitCode).toBe(0)
  expect({ refreshes: issuer.refreshes, spentTwice: issuer.spentTwice }).toEqual({
    refreshes: 1,
    spentTwice: 0,
  })
})

test('whoever goes on waiting gets what the other process was given', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  await storeLogin(home, issuer.issueLogin({ accessTokenLifetime: -60 }))
  const held = hold()
  issuer.nextAnswers.push(held.answer)
  const first = startCli(['token'], { home })
  await held.arrived
  const second = startOnTerminal(['token'], { home, mayContain: ['access_token'] })
  await second.shows(/Waiting for/)
  held.release()
  const { stdout } = await first.ended
  const { exitCode, shown } = await second.ended
  expect({ exitCode, refreshes: issuer.refreshes, same: shown.endsWith(stdout) }).toEqual({
    exitCode: 0,
    refreshes: 1,
    same: true,
  })
})

test('at a terminal, login needs no word on how', async () => {
  const [home, issuer] = [newHome(), await newIssuer()]
  const args = atIssuer(issuer).filter((word) => word !== '--no-browser')
  const terminal = startOnTerminal(args, { home })
  const [, address = ''] = await terminal.shows(/^(http\S+)\r\n/m)
  // There is no screen here, so no browser is started either.
  await terminal.shows(/Sign in at this address:/)
  await (await fetch(address)).text()
  expect((await terminal.ended).exitCode).toBe(0)
})
